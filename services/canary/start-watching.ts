import type { Registry } from 'prom-client';
import type { Logger } from '../../shared/log/logger.ts';
import type { CredentialState } from '../../shared/receipt/credential.ts';
import { startBusHealth } from './bus-health/start-bus-health.ts';
import type { CanaryConfig } from './config.ts';
import { startCredentials } from './credentials/start-credentials.ts';
import { type JudgedPath, summarize } from './judge.ts';
import { startKnownDead } from './known-dead/start-known-dead.ts';
import type { DeadPart } from './known-dead/watch-parts.ts';
import type { CanaryMetrics } from './metrics.ts';
import type { Probe } from './probes/probe.ts';
import { type ClockSkew, watchClocks } from './watch-clocks.ts';
import { type OtherCanary, watchOtherCanaries } from './watch-peers.ts';

interface WatchingDeps {
  readonly internalToken: string;
  readonly probes: readonly Probe[];
  readonly judged: () => readonly JudgedPath[];
  readonly registry: Registry;
  readonly metrics: CanaryMetrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly signal: AbortSignal;
}

interface Watching {
  readonly otherCanaries: () => OtherCanary[];
  readonly dead: () => DeadPart[];
  readonly clocks: () => ClockSkew[];
  readonly credentials: () => CredentialState[];
  readonly running: Promise<unknown>;
}

/** What the other parts of the system say of themselves, none of which proves a path: it may only ever make things look worse. */
export function startWatching(config: CanaryConfig, deps: WatchingDeps): Watching {
  const { natsSites } = config;
  const others = watchOtherCanaries(config.canaries, deps);
  const nodes = [
    ...config.ingests.map((peer) => ({ kind: 'ingest' as const, peer })),
    ...config.dispatchers.map((peer) => ({ kind: 'dispatcher' as const, peer })),
    ...config.edges.map((peer) => ({ kind: 'edge' as const, peer })),
  ];
  const dead = startKnownDead(
    { nodes, natsSites, probes: deps.probes, otherCanaries: others.states },
    deps,
  );
  const clocks = watchClocks(nodes, {
    ...deps,
    onSkew: ({ kind, name, skewMs }) =>
      deps.metrics.clockSkew.set({ kind, peer: name }, skewMs / 1000),
  });
  const busHealth = startBusHealth({ sites: natsSites }, deps);
  const credentials = startCredentials(config, {
    ...deps,
    newestProofAgeMs: () => summarize(deps.judged()).newestProofAgeMs,
  });
  const all = [others, dead, clocks, busHealth, credentials];
  return {
    otherCanaries: others.states,
    dead: dead.parts,
    clocks: clocks.states,
    credentials: credentials.states,
    running: Promise.all(all.map(({ running }) => running)),
  };
}
