import type { Verify } from '../../../shared/envelope/signature.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { type PathState, stateAt, type Timetable } from '../judge.ts';
import { nextRoundAtMs, phaseOf } from '../schedule-rounds.ts';
import { createGenuineMessages } from './genuine-messages.ts';
import { REFUSAL_KINDS, type RefusalKind, type TrialResult } from './refusal-kinds.ts';
import type { RefusingMetrics } from './refusing-metrics.ts';
import { createRefusingReceiver } from './refusing-receiver.ts';
import { runTrials } from './run-trials.ts';

/** Until there are messages to make trials of, they are looked for this often. */
const LOOK_MS = 5_000;

/** What is known of one kind of message that must be refused. */
export interface RefusalState {
  readonly kind: RefusalKind;
  readonly state: PathState;
  /** Since it was last refused; null: never yet. */
  readonly ageMs: number | null;
  /** The same or, without one, since the start. */
  readonly silenceMs: number;
  /** How often a device would have shown it. Anything but 0 is an incident. */
  readonly accepted: number;
}

export interface RefusalsState {
  readonly kinds: readonly RefusalState[];
  readonly timetable: Timetable;
}

interface RefusingOptions {
  readonly canary: string;
  readonly autopushUrl: string;
  readonly dataDir: string;
  readonly sender: string;
  readonly periodMs: number;
  readonly limitMs: number;
}

interface RefusingDeps {
  readonly verify: Verify;
  readonly log: Logger;
  readonly metrics: RefusingMetrics;
  readonly wallNow: Clock;
  readonly now: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

interface Refusing {
  readonly state: () => RefusalsState;
  /** A message of a round that a probe has verified. */
  readonly keep: (jws: string, expiresMs: number) => void;
  readonly running: Promise<void>;
}

/**
 * The negative canary: now and then it sends itself what a device must refuse, by the real push service, and sees to it
 * that the device's own code does. Accepted: an incident. Nothing refused any more: an alarm by age, as everywhere.
 */
export function startRefusing(options: RefusingOptions, deps: RefusingDeps): Refusing {
  const { periodMs, limitMs } = options;
  const { now, signal } = deps;
  const timetable = { periodMs, limitMs };
  const startedMs = now();
  const genuine = createGenuineMessages(deps.wallNow);
  const lastRefused = new Map<RefusalKind, number>();
  const accepted = new Map<RefusalKind, number>();
  const onResult = (kind: RefusalKind, result: TrialResult) => {
    if (result === 'refused') lastRefused.set(kind, now());
    if (result === 'accepted') accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
    tellTrial(kind, result, deps);
  };
  const { autopushUrl: url, dataDir, canary: via } = options;
  const subject = `mailto:${options.sender}`;
  const receiver = createRefusingReceiver({ url, dataDir, via, subject, limitMs }, deps);
  const run = async () => {
    const slot = { index: 0, total: 1, periodMs, phase: phaseOf(`${options.canary} refusing`) };
    const lookMs = Math.min(LOOK_MS, periodMs / 4);
    while (!signal.aborted) {
      const isReady = genuine.fresh() !== undefined && genuine.expired() !== undefined;
      const done =
        isReady &&
        (await receiver.open((exchange) => runTrials(exchange, { ...deps, genuine, onResult })));
      const nowMs = now();
      await sleep(done ? nextRoundAtMs(slot, nowMs, deps.random()) - nowMs : lookMs, signal);
    }
  };
  const stateOf = (kind: RefusalKind): RefusalState => {
    const atMs = lastRefused.get(kind);
    const silenceMs = Math.max(0, now() - (atMs ?? startedMs));
    const ageMs = atMs === undefined ? null : silenceMs;
    const times = accepted.get(kind) ?? 0;
    const byAge = stateAt(ageMs ?? undefined, timetable);
    return { kind, ageMs, silenceMs, accepted: times, state: times > 0 ? 'unproved' : byAge };
  };
  return {
    state: () => ({ kinds: REFUSAL_KINDS.map(stateOf), timetable }),
    keep: (jws, expiresMs) => genuine.add({ jws, expiresMs }),
    running: run(),
  };
}

function tellTrial(
  kind: RefusalKind,
  result: TrialResult,
  { metrics, log, wallNow }: Pick<RefusingDeps, 'metrics' | 'log' | 'wallNow'>,
): void {
  metrics.trials.inc({ kind, result });
  if (result === 'refused') metrics.lastRefused.set({ kind }, wallNow() / 1000);
  const level = { refused: 'debug', unclear: 'warn', accepted: 'error' } as const;
  log[level[result]]({ kind, result }, 'a message that must be refused was sent');
}
