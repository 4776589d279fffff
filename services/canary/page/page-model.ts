import type { CredentialState } from '../../../shared/receipt/credential.ts';
import type { DrillRecord } from '../../../shared/receipt/drill.ts';
import type { Finding } from '../diagnosis.ts';
import type { PathHistory } from '../history/start-history.ts';
import type { JudgedPath, Summary, Timetable } from '../judge.ts';
import type { DeadPart } from '../known-dead/watch-parts.ts';
import type { AlertTimeline } from '../real-alert/alert-timeline.ts';
import type { ReceiverState } from '../receivers/receiver-log.ts';
import type { RefusalsState } from '../refusing/start-refusing.ts';
import type { LoggedRound } from '../round-log.ts';
import type { StoredPathState } from '../stored/start-stored-path.ts';
import type { ClockSkew } from '../watch-clocks.ts';
import type { OtherCanary } from '../watch-peers.ts';
import type { Language } from './texts.ts';

/** Everything that the on-call page shows. */
export interface PageModel {
  readonly language: Language;
  readonly canary: string;
  readonly site: string;
  readonly wallNowMs: number;
  /** The clock that ages and `OtherCanary.newestProofAtMs` are counted by. */
  readonly ageNowMs: number;
  readonly timetable: Timetable;
  readonly paths: readonly JudgedPath[];
  readonly summary: Summary;
  readonly findings: readonly Finding[];
  readonly dead: readonly DeadPart[];
  /** The last 24 hours of each path. */
  readonly history: PathHistory;
  readonly rounds: readonly LoggedRound[];
  /** Each receiver by the age of its last signed receipt. */
  readonly receivers: readonly ReceiverState[];
  /** The path to a phone that was off; undefined: not watched (switched off by a setting). */
  readonly stored: StoredPathState | undefined;
  /** What devices must refuse; undefined: not tried (switched off by a setting). */
  readonly refusals: RefusalsState | undefined;
  /** Clocks of other nodes, as far as they were compared. */
  readonly clocks: readonly ClockSkew[];
  readonly realAlert: AlertTimeline | undefined;
  readonly credentials: readonly CredentialState[];
  readonly otherCanaries: readonly OtherCanary[];
  /** Drills that took place, newest first. */
  readonly drills: readonly DrillRecord[];
  readonly runbooksUrl: string;
}
