import type { Express } from 'express';
import type { Registry } from 'prom-client';
import type { Received } from '../../../shared/device/receive.ts';
import { NodeName } from '../../../shared/envelope/envelope.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { DRILL_NONCE_PREFIX, type DrillRecord } from '../../../shared/receipt/drill.ts';
import type { ProbeWitness } from '../../../shared/receipt/proof.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { Probe, ProbeEvents } from '../probes/probe.ts';
import { createWitnessLog } from '../witness-log.ts';
import { type DeafableProbe, startDeafable } from './deaf-probe.ts';
import { createDrillMetrics } from './drill-metrics.ts';
import { addDrillRoutes } from './drill-routes.ts';
import { openDrillStore } from './drill-store.ts';

interface DrillsOptions {
  readonly canary: string;
  readonly dataDir: string;
  readonly internalToken: string;
}

interface DrillsDeps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly wallNow: Clock;
}

/** A canary's part in drills: it keeps their records, makes its probes deaf when asked, and says who heard a correction. */
export interface Drills {
  readonly records: () => readonly DrillRecord[];
  /** Starts a probe so that drills can make it deaf. */
  readonly probe: (start: (events: ProbeEvents) => Probe, events: ProbeEvents) => DeafableProbe;
  /** True when a verified message is a drill's: it is witnessed here, and is nobody's round. */
  readonly heard: (probe: Probe, received: Received) => boolean;
  /** Who heard a drill's message. */
  readonly witnessesOf: (alertId: string) => readonly ProbeWitness[];
  readonly addRoutes: (app: Express) => void;
}

/** Throws when what is kept on disk cannot be read. */
export function startDrills(
  options: DrillsOptions,
  { registry, log, wallNow }: DrillsDeps,
): Drills {
  const store = openDrillStore(options.dataDir);
  if (store.setAside !== undefined)
    log.warn({ file: store.setAside }, 'the list of drills was damaged: moved aside');
  const metrics = createDrillMetrics(registry);
  metrics.show(store.newestFirst());
  const witnesses = createWitnessLog();
  const probes: DeafableProbe[] = [];
  const onChange = (probe: string, untilMs: number | undefined) => {
    metrics.deaf.set({ probe }, untilMs === undefined ? 0 : 1);
    if (untilMs === undefined) log.warn({ probe }, 'a drill is over: the probe hears again');
    else
      log.warn({ probe, until: new Date(untilMs).toISOString() }, 'a drill makes the probe deaf');
  };
  return {
    records: store.newestFirst,
    probe: (start, events) => {
      const probe = startDeafable(start, events, { now: wallNow, onChange });
      metrics.deaf.set({ probe: probe.name }, 0);
      probes.push(probe);
      return probe;
    },
    heard: (probe, { decision, message, via }) => {
      if (!message?.nonce?.startsWith(DRILL_NONCE_PREFIX)) return false;
      const node = NodeName.safeParse(via);
      if (decision.action === 'ignored' || !node.success) return true;
      witnesses.add(message, {
        alertId: message.id,
        probe: probe.name,
        transport: probe.transport,
        via: node.data,
        receivedAt: new Date(wallNow()).toISOString(),
      });
      return true;
    },
    witnessesOf: witnesses.of,
    addRoutes: (app) =>
      addDrillRoutes(app, {
        canary: options.canary,
        internalToken: options.internalToken,
        records: store.newestFirst,
        probes,
        wallNow,
        keep: (record) => {
          if (!store.keep(record)) return;
          metrics.show(store.newestFirst());
          const { kind, ok, measures, by } = record;
          log.info({ kind, ok, ...measures, by }, 'a drill took place');
        },
      }),
  };
}
