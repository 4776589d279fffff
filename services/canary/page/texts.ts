import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { CredentialState } from '../../../shared/receipt/credential.ts';
import type { DrillKind, DrillRecord } from '../../../shared/receipt/drill.ts';
import type { BucketState } from '../history/buckets.ts';
import type { MissStage, PathState } from '../judge.ts';
import type { NodeKind, PartKind } from '../known-dead/watch-parts.ts';
import type { RefusalKind } from '../refusing/refusal-kinds.ts';
import { ENGLISH } from './texts-en.ts';
import { FRENCH } from './texts-fr.ts';

export type Language = 'fr' | 'en';
export type PathPart = keyof CanaryPath;

/** Every word of the page. Functions take what is already formatted. */
export interface Texts {
  readonly title: string;
  readonly site: (site: string, canary: string) => string;
  readonly allProved: string;
  readonly someProved: string;
  readonly noProof: string;
  /** Some transport brings nothing to anybody; named one by one. */
  readonly deaf: (transports: readonly string[]) => string;
  readonly deafMeaning: string;
  readonly colon: string;
  readonly whatToDo: string;
  readonly since: string;
  readonly sinceStart: string;
  readonly lastProof: string;
  readonly proofs: (proved: number, total: number) => string;
  readonly fallback: string;
  /** What stands before and after an age. */
  readonly ago: readonly [before: string, after: string];
  readonly states: Readonly<Record<PathState, string>>;
  readonly stateMeaning: Readonly<Record<PathState, string>>;
  readonly missed: (count: number) => string;
  readonly matrix: string;
  readonly legend: string;
  readonly strip: string;
  readonly stripMeaning: string;
  readonly stripStates: Readonly<Record<BucketState, string>>;
  readonly stripWorst: (state: string, duration: string, from: string, to: string) => string;
  readonly stripAll: (state: string) => string;
  readonly parts: Readonly<Record<PathPart, string>>;
  readonly values: Readonly<Record<string, string>>;
  readonly partPhrase: (part: PathPart, value: string) => string;
  readonly joinPhrases: (phrases: readonly string[]) => string;
  readonly allFail: string;
  readonly pathsFail: (through: string) => string;
  readonly onePathFails: (name: string) => string;
  readonly pathCount: (count: number) => string;
  /** What is known to be dead: paths, proofs, processes, buses, receivers. */
  readonly dead: string;
  readonly nothingDead: string;
  readonly deadCount: (count: number) => string;
  /** Ends in a word that an age follows. */
  readonly deadPart: (kind: PartKind, name: string, answered: boolean) => string;
  readonly notWitnessed: (count: number, total: number) => string;
  readonly stages: Readonly<Record<MissStage, string>>;
  readonly late: string;
  readonly proved: string;
  readonly realAlert: string;
  readonly noRealAlert: string;
  readonly acceptedAt: string;
  readonly acceptedUnknown: string;
  readonly receivedBy: (count: number, total: number) => string;
  readonly after: string;
  readonly timeline: string;
  readonly timelineColumns: readonly [
    first: string,
    half: string,
    p95: string,
    p99: string,
    last: string,
  ];
  readonly taken: string;
  readonly notTaken: string;
  readonly pending: (count: string) => string;
  readonly probe: string;
  readonly via: string;
  /** Before a dispatcher's name where there is little room. */
  readonly through: string;
  readonly timelineKey: string;
  readonly receivedAt: string;
  readonly canaries: string;
  readonly noOtherCanary: string;
  readonly canaryUnreachable: string;
  readonly canaryNoProof: string;
  /** Proofs whose age is counted in minutes or hours. */
  readonly slow: string;
  readonly butFaults: string;
  readonly stored: string;
  readonly storedEvery: (period: string) => string;
  readonly storedFound: (latency: string) => string;
  readonly storedFails: string;
  readonly refusalKinds: Readonly<Record<RefusalKind, string>>;
  readonly refusedState: string;
  readonly acceptedState: string;
  readonly refusalEvery: (period: string) => string;
  readonly refusalAccepted: (times: number) => string;
  /** A false message was accepted by a device: named by its kind. */
  readonly refusalShown: (kind: string) => string;
  readonly refusalSilent: (kind: string) => string;
  readonly clocks: string;
  readonly clocksAgree: string;
  readonly clocksApart: string;
  readonly clocksCompared: (compared: number, nodes: number) => string;
  readonly clockOff: (kind: NodeKind, name: string, off: string, ahead: boolean) => string;
  readonly rounds: string;
  readonly noRounds: string;
  readonly time: string;
  readonly path: string;
  readonly result: string;
  readonly latency: string;
  /** Said by the page itself when nothing new comes. */
  readonly stale: string;
  /** The same without script: an instant follows. */
  readonly staleSince: string;
  readonly unknown: string;
  readonly writtenAt: string;
  readonly writtenHelp: string;
  readonly skip: string;
  readonly links: string;
  readonly credentials: string;
  readonly noCredentials: string;
  readonly credentialKinds: Readonly<Record<CredentialState['kind'], string>>;
  readonly daysLeft: (days: number) => string;
  readonly expiredSince: (days: number) => string;
  readonly noEnd: string;
  readonly refused: string;
  readonly lastUsed: string;
  readonly others: (count: number) => string;
  readonly credential: string;
  readonly ends: string;
  readonly drills: string;
  readonly drillKinds: Readonly<Record<DrillKind, string>>;
  readonly drillNever: string;
  readonly drillOk: string;
  readonly drillFailed: string;
  readonly drillMeasures: Readonly<
    Record<keyof DrillRecord['measures'], (seconds: string) => string>
  >;
  readonly daysAgo: (days: number) => string;
  readonly emulated: string;
  readonly runbooks: string;
  readonly metrics: string;
  readonly json: string;
  readonly otherLanguage: string;
  readonly utc: string;
}

export function textsFor(language: Language): Texts {
  return language === 'fr' ? FRENCH : ENGLISH;
}
