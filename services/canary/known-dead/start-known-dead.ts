import type { BusSite, Peer } from '../../../shared/bus/bus-config.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { Probe } from '../probes/probe.ts';
import type { OtherCanary } from '../watch-peers.ts';
import { type AskedPart, type DeadPart, type NodeKind, watchParts } from './watch-parts.ts';

const LOOK_EVERY_MS = 1_000;
/** A probe that connects again at once is no news. */
const PROBE_GRACE_MS = 5_000;

interface KnownDeadOptions {
  readonly nodes: readonly {
    readonly kind: NodeKind;
    readonly peer: Peer;
  }[];
  readonly natsSites: readonly BusSite[];
  readonly probes: readonly Pick<Probe, 'name' | 'connected'>[];
  readonly otherCanaries: () => readonly OtherCanary[];
}

interface KnownDeadDeps {
  /** Age clock. */
  readonly now: Clock;
  readonly signal: AbortSignal;
}

/**
 * What is known to be dead, and since when: processes and buses that do not say that they are well, receivers of our own
 * without a connection, other canaries that do not answer. It may only ever turn something red: that all of them answer
 * proves nothing, and is not mentioned.
 */
export function startKnownDead(
  { nodes, natsSites, probes, otherCanaries }: KnownDeadOptions,
  { now, signal }: KnownDeadDeps,
): { readonly parts: () => DeadPart[]; readonly running: Promise<unknown> } {
  const asked = watchParts([...nodes.map(askedNode), ...natsSites.flatMap(askedBus)], {
    now,
    signal,
  });
  const lost = new Map<string, number>();
  const lookAtProbes = async () => {
    do {
      for (const { name, connected } of probes)
        if (connected()) lost.delete(name);
        else if (!lost.has(name)) lost.set(name, now());
    } while (await sleep(LOOK_EVERY_MS, signal));
  };
  return {
    parts: () => [
      ...asked.dead(),
      ...[...lost]
        .filter(([, sinceMs]) => now() - sinceMs > PROBE_GRACE_MS)
        .map(([name, sinceMs]) => ({ kind: 'probe' as const, name, answered: false, sinceMs })),
      ...otherCanaries().flatMap(({ name, silentSinceMs }) =>
        silentSinceMs === undefined
          ? []
          : [{ kind: 'canary' as const, name, answered: false, sinceMs: silentSinceMs }],
      ),
    ],
    running: Promise.all([asked.running, lookAtProbes()]),
  };
}

function askedNode({ kind, peer }: KnownDeadOptions['nodes'][number]): AskedPart {
  return { kind, name: peer.name, url: new URL('/ready', peer.url).href };
}

/** Each server of a site's bus by itself: `a`, or `a-1`, `a-2`, … where the site has a cluster. */
function askedBus({ site, monitorUrl }: BusSite): AskedPart[] {
  const urls = monitorUrl.split(',');
  return urls.map((url, i) => ({
    kind: 'bus',
    name: urls.length === 1 ? site : `${site}-${i + 1}`,
    url: new URL('/healthz', url).href,
  }));
}
