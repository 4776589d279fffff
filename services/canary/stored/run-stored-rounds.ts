import { randomBytes } from 'node:crypto';
import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { JudgedPath, RoundResult } from '../judge.ts';
import type { RoundBook } from '../round-book.ts';
import { type RaiseSettings, raise } from '../run-round.ts';
import { awayFromFullMinute, nextRoundAtMs, phaseOf } from '../schedule-rounds.ts';
import type { StoredProbe } from './stored-probe.ts';

/** How long a message waits for its phone: well within a canary's life, and longer than any sender takes. */
const KEPT_MS = 30_000;
const KEPT_JITTER_MS = 10_000;
/** A visit is over when nothing has come for this long. Stored messages come at once, before anything else. */
const QUIET_MS = 3_000;
/** A path that was never proved is tried again this soon … */
const EAGER_PAUSE_MS = 15_000;
/** … for this long. */
const EAGER_FOR_MS = 10 * 60_000;

export interface StoredTiming {
  readonly periodMs: number;
  readonly keptMs: number;
  readonly quietMs: number;
  readonly limitMs: number;
}

/** The waits of one period, shortened for periods that are shorter than any of real use. */
export function storedTiming(periodMs: number, limitMs: number): StoredTiming {
  return {
    periodMs,
    keptMs: Math.min(KEPT_MS, periodMs / 4),
    quietMs: Math.min(QUIET_MS, periodMs / 4),
    limitMs,
  };
}

interface StoredRoundsDeps {
  readonly probe: StoredProbe;
  readonly book: RoundBook;
  readonly settings: RaiseSettings;
  /** The paths of every minute, as they are judged now. */
  readonly judged: () => readonly JudgedPath[];
  /** Waits until the probe is in the registry, or has waited long enough. */
  readonly registered: () => Promise<void>;
  readonly onResult: (path: CanaryPath, result: RoundResult) => void;
  readonly everProved: () => boolean;
  readonly wallNow: Clock;
  readonly now: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/**
 * The Web Push path for the next stored round: those that are proved take turns, so that a dead dispatcher, which the
 * paths of every minute show, does not look like a push service that forgets. Without a proved one all take turns.
 */
export function storedPath(judged: readonly JudgedPath[], turn: number): CanaryPath | undefined {
  const webPush = judged.filter(({ path }) => path.transport === 'web-push');
  const proved = webPush.filter(({ state }) => state === 'proved');
  const candidates = proved.length > 0 ? proved : webPush;
  return candidates[turn % Math.max(1, candidates.length)]?.path;
}

/** Switches the probe on once for its address, then plays one stored round in each period until the signal aborts. */
export async function runStoredRounds(timing: StoredTiming, deps: StoredRoundsDeps): Promise<void> {
  const { now, random, signal } = deps;
  const eagerUntilMs = now() + EAGER_FOR_MS;
  const slot = {
    index: 0,
    total: 1,
    periodMs: timing.periodMs,
    phase: phaseOf(`${deps.settings.canary} stored`),
  };
  await deps.probe.visit(timing);
  for (let turn = 0; !signal.aborted; turn++) {
    await deps.registered();
    await storedRound(turn, timing, deps);
    const nowMs = now();
    const next = nextRoundAtMs(slot, nowMs, random());
    const eager = !deps.everProved() && nowMs < eagerUntilMs;
    await sleep(eager ? Math.min(EAGER_PAUSE_MS, next - nowMs) : next - nowMs, signal);
  }
}

/**
 * One round: the probe is off, a Test alert is raised for it alone, the push service has to keep it, the probe is
 * switched on. Proved by its receipt within that visit; the latency is counted from the moment it was switched on.
 */
async function storedRound(
  turn: number,
  timing: StoredTiming,
  deps: StoredRoundsDeps,
): Promise<void> {
  const { book, now, signal } = deps;
  const path = storedPath(deps.judged(), turn);
  if (!path) return;
  const nonce = randomBytes(16).toString('base64url');
  const visit: { onAtMs?: number; proved?: RoundResult } = {};
  book.open(nonce, path, () => {
    // What came while it was off by our account was not kept for it: it proves nothing here.
    if (visit.onAtMs !== undefined)
      visit.proved = { kind: 'proved', latencyMs: now() - visit.onAtMs };
  });
  const stage = await raise(path, nonce, deps.settings, deps);
  const jitterMs = (deps.random() - 0.5) * Math.min(KEPT_JITTER_MS, timing.keptMs);
  const visitAtMs = awayFromFullMinute(now() + timing.keptMs + jitterMs);
  if (!(await sleep(visitAtMs - now(), signal))) return;
  visit.onAtMs = now();
  // Also after a refusal: real alerts may be waiting.
  await deps.probe.visit(timing);
  const missed: RoundResult = { kind: 'missed', stage: stage ?? 'not-received' };
  if (!signal.aborted || visit.proved) deps.onResult(path, visit.proved ?? missed);
}
