import { backoffMs } from '../../../shared/time/backoff.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { LaneMessage, LaneResult, LaneTarget } from './lane-target.ts';

/** One attempt gets this much, so that a target that swallowed the first gets a second within the deadline. */
const ATTEMPT_MS = 700;
const RETRY = { firstMs: 50, maxMs: 250 } as const;

/** What an alert's author is told. `by` are the targets that acknowledged so far. */
export type Decision =
  | { readonly kind: 'two-sites' | 'one-site'; readonly by: readonly LaneTarget[] }
  | { readonly kind: 'not-stored' }
  | { readonly kind: 'conflict'; readonly at: LaneTarget };

export interface PublishOptions {
  /** After this long the decision is taken with what is there. */
  readonly deadlineMs: number;
  readonly random: () => number;
  /** Ends everything: the service is stopping. */
  readonly signal: AbortSignal;
  readonly onResult: (target: LaneTarget, result: LaneResult) => void;
}

/**
 * Sends to every target at once and repeats what was not acknowledged until the deadline. `decided` resolves as soon as
 * two sites have the message by whichever lane, or else when nothing more can come. After a two-sites decision the
 * other targets go on to their deadline (`finished`); after a refusal all of it stops.
 */
export function publishAlert(
  message: LaneMessage,
  targets: readonly LaneTarget[],
  options: PublishOptions,
): { decided: Promise<Decision>; finished: Promise<void> } {
  const stop = new AbortController();
  const signal = AbortSignal.any([
    stop.signal,
    options.signal,
    AbortSignal.timeout(options.deadlineMs),
  ]);
  const acknowledged: LaneTarget[] = [];
  const sites = () => new Set(acknowledged.map(({ site }) => site)).size;
  const configured = new Set(targets.filter(({ counts }) => counts).map(({ site }) => site)).size;
  let decide: (decision: Decision) => void = () => {};
  const decided = new Promise<Decision>((resolve) => {
    decide = resolve;
  });
  const decideWithWhatIsThere = () => {
    if (sites() === 0) stop.abort();
    decide(
      sites() === 0 ? { kind: 'not-stored' } : { kind: kindOf(sites()), by: [...acknowledged] },
    );
  };
  const onSettled = (target: LaneTarget, result: LaneResult) => {
    if (!target.counts) return;
    if (result.kind === 'conflict') {
      // Before a decision this refuses the request; after it, it is the caller's to report (onResult has it).
      decide({ kind: 'conflict', at: target });
    } else if (result.kind === 'acknowledged') {
      acknowledged.push(target);
      // With one site configured nothing better can come.
      if (sites() >= Math.min(2, configured)) decideWithWhatIsThere();
    }
  };
  const sends = targets.map(async (target) => {
    const result = await sendUntil(target, message, { ...options, signal });
    onSettled(target, result);
  });
  const counted = sends.filter((_send, i) => targets[i]?.counts);
  void Promise.all(counted).then(decideWithWhatIsThere);
  void decided.then(({ kind }) => {
    if (kind === 'conflict') stop.abort();
  });
  return { decided, finished: Promise.all(sends).then(() => undefined) };
}

function kindOf(sites: number): 'two-sites' | 'one-site' {
  return sites >= 2 ? 'two-sites' : 'one-site';
}

/** Repeats with the same id until acknowledged, refused as a conflict, or out of time. */
async function sendUntil(
  target: LaneTarget,
  message: LaneMessage,
  options: PublishOptions,
): Promise<LaneResult> {
  let result: LaneResult = { kind: 'failed', reason: 'no attempt was made' };
  for (let attempt = 1; !options.signal.aborted; attempt++) {
    result = await target.send(message, ATTEMPT_MS, options.signal);
    options.onResult(target, result);
    if (result.kind !== 'failed') return result;
    await sleep(backoffMs(attempt, RETRY, options.random()), options.signal);
  }
  return result;
}
