import type { Peer } from '../../shared/bus/bus-config.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { NodeKind } from './known-dead/watch-parts.ts';

const EVERY_MS = 30_000;
const REQUEST_LIMIT_MS = 2_000;
/** An answer that was so long on its way says too little about the instant at which it was made. */
const MAX_ROUND_TRIP_MS = 1_000;

/** How far a node's clock is from this canary's. */
export interface ClockSkew {
  readonly kind: NodeKind;
  readonly name: string;
  /** Positive: the node is ahead. Good to about half a second: HTTP says whole seconds. */
  readonly skewMs: number;
  /** Age clock. */
  readonly measuredAtMs: number;
}

/**
 * The skew (ms) by one answer: `date` is HTTP's (RFC 9110 section 6.6.1, whole seconds, rounded down), the other two are
 * our clock before and after. Undefined: the answer says nothing. Pure.
 */
export function skewOf(
  date: string | null,
  askedMs: number,
  answeredMs: number,
): number | undefined {
  const saidMs = Date.parse(date ?? '');
  const tripMs = answeredMs - askedMs;
  if (Number.isNaN(saidMs) || tripMs < 0 || tripMs > MAX_ROUND_TRIP_MS) return undefined;
  const earliest = saidMs - answeredMs;
  const latest = saidMs + 1000 - askedMs;
  // Within what the answer can't tell apart the clocks agree.
  if (earliest <= 0 && latest >= 0) return 0;
  return Math.round((earliest + latest) / 2);
}

interface ClockDeps {
  readonly wallNow: Clock;
  readonly now: Clock;
  readonly onSkew: (skew: ClockSkew) => void;
  readonly signal: AbortSignal;
}

/** Asks each node now and then what time it is, by the `Date` of an answer. */
export function watchClocks(
  nodes: readonly { readonly kind: ClockSkew['kind']; readonly peer: Peer }[],
  deps: ClockDeps,
): { readonly states: () => ClockSkew[]; readonly running: Promise<void> } {
  const skews = new Map<string, ClockSkew>();
  const look = async ({ kind, peer }: (typeof nodes)[number]) => {
    const askedMs = deps.wallNow();
    try {
      const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(REQUEST_LIMIT_MS)]);
      const response = await fetch(new URL('/live', peer.url), { signal });
      const skewMs = skewOf(response.headers.get('date'), askedMs, deps.wallNow());
      await response.body?.cancel();
      if (skewMs === undefined) return;
      const skew = { kind, name: peer.name, skewMs, measuredAtMs: deps.now() };
      skews.set(`${kind} ${peer.name}`, skew);
      deps.onSkew(skew);
    } catch {
      // That it does not answer is said elsewhere; what was measured before keeps its age.
    }
  };
  const run = async () => {
    do await Promise.all(nodes.map(look));
    while (await sleep(EVERY_MS, deps.signal));
  };
  return { states: () => [...skews.values()], running: run() };
}
