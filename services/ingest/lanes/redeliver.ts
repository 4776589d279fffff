import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { backoffMs } from '../../../shared/time/backoff.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { LaneResult, LaneTarget } from './lane-target.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';

const ROUND_MS = 250;
const ATTEMPT_MS = 3_000;
const BACKOFF = { firstMs: 500, maxMs: 10_000 } as const;
/** An answered request's own attempts run this long; only then are its lanes overdue. */
const FIRST_SENDS_MS = 1_800;
/** Alerts read for a target in a round, and sends at a time to it: a site that comes back is not flooded. */
const READ_LIMIT = 100;
const SENDS_PER_TARGET = 4;
const PURGE_EVERY_MS = 60_000;

interface Deps {
  readonly outbox: Outbox;
  readonly targets: readonly LaneTarget[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly onResult: (target: LaneTarget, entry: OutboxEntry, result: LaneResult) => void;
}

interface Attempt {
  count: number;
  nextAtMs: number;
}

/**
 * Brings accepted alerts to the lanes that lack them, until they have them or the alert expires; also after a restart,
 * since what is owed stands in the outbox. Runs until the signal aborts, and forgets old entries meanwhile.
 */
export async function redeliver(deps: Deps): Promise<void> {
  const attempts = new Map<string, Attempt>();
  const inFlight = new Map<string, Promise<void>>();
  let nextPurgeMs = 0;
  while (!deps.signal.aborted) {
    try {
      if (deps.clock() >= nextPurgeMs) {
        deps.outbox.purge(deps.clock());
        nextPurgeMs = deps.clock() + PURGE_EVERY_MS;
      }
      startDue(deps, attempts, inFlight);
    } catch (error) {
      deps.log.error(errorFields(error), 'the outbox cannot be read: lagging lanes wait');
    }
    await sleep(ROUND_MS, deps.signal);
  }
  await Promise.all(inFlight.values());
}

function startDue(
  deps: Deps,
  attempts: Map<string, Attempt>,
  inFlight: Map<string, Promise<void>>,
): void {
  const nowMs = deps.clock();
  const owed = new Set<string>();
  for (const target of deps.targets) {
    const entries = deps.outbox.owedTo(target.key, nowMs, nowMs - FIRST_SENDS_MS, READ_LIMIT);
    let free =
      SENDS_PER_TARGET -
      [...inFlight.keys()].filter((key) => key.startsWith(`${target.key} `)).length;
    for (const entry of entries) {
      const key = `${target.key} ${entry.id}`;
      owed.add(key);
      const attempt = attempts.get(key) ?? { count: 0, nextAtMs: 0 };
      if (free <= 0 || inFlight.has(key) || attempt.nextAtMs > nowMs) continue;
      free -= 1;
      attempts.set(key, attempt);
      const send = sendOnce(deps, { target, entry, attempt }).finally(() => inFlight.delete(key));
      inFlight.set(key, send);
    }
  }
  for (const key of attempts.keys()) if (!owed.has(key)) attempts.delete(key);
}

async function sendOnce(
  deps: Deps,
  { target, entry, attempt }: { target: LaneTarget; entry: OutboxEntry; attempt: Attempt },
): Promise<void> {
  const result = await target.send(entry, ATTEMPT_MS, deps.signal);
  if (deps.signal.aborted && result.kind === 'failed') return;
  attempt.count += 1;
  attempt.nextAtMs = deps.clock() + backoffMs(attempt.count, BACKOFF, deps.random());
  try {
    deps.onResult(target, entry, result);
  } catch (error) {
    deps.log.error(
      errorFields(error),
      'an acknowledgement cannot be written: the lane will be sent to again',
    );
  }
}
