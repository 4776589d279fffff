import { Counter, Gauge, type Registry } from 'prom-client';
import { LANES, TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';
import { createAcceptTimes } from './accept-metrics.ts';

const OUTCOME_KINDS = ['accepted', 'gone', 'rejected', 'throttled', 'unavailable'] as const;
export const ARRIVAL_RESULTS = ['stored', 'duplicate', 'conflict', 'refused'] as const;
export const JUNK_SOURCES = ['alerts', 'registry', 'receipts', 'proofs'] as const;

/** What became of a copy of the registry: given to a peer or not, taken from one or refused because it is damaged. */
export const SNAPSHOT_RESULTS = ['served', 'failed', 'taken', 'refused'] as const;

/** Streams whose content a dispatcher holds too. */
export const REFILLED_STREAMS = ['ALERTS', 'REGISTRY'] as const;

export type DispatcherMetrics = ReturnType<typeof createDispatcherMetrics>;

/** All metrics of a dispatcher, with every label value at 0 from the start. */
export function createDispatcherMetrics(registry: Registry, busSites: readonly string[] = []) {
  const registers = [registry];
  const outcomes = countOutcomes(registers);
  const arrivals = new Counter({
    name: 'dispatcher_arrivals_total',
    help: 'Signed envelopes by the way they came and what became of them',
    labelNames: ['lane', 'result'] as const,
    registers,
  });
  const junk = new Counter({
    name: 'dispatcher_junk_total',
    help: 'Messages that are not what their place says; dropped. Anything above 0 wants a look',
    labelNames: ['source'] as const,
    registers,
  });
  const refilled = new Counter({
    name: 'dispatcher_bus_refilled_total',
    help: 'Messages that a site’s stream had lost and that this node put back from its journal or replica',
    labelNames: ['bus_site', 'stream'] as const,
    registers,
  });
  for (const bus_site of busSites)
    for (const stream of REFILLED_STREAMS) refilled.inc({ bus_site, stream }, 0);
  const snapshots = new Counter({
    name: 'dispatcher_registry_snapshots_total',
    help: 'Copies of the registry between dispatchers, by what became of them',
    labelNames: ['result'] as const,
    registers,
  });
  for (const result of SNAPSHOT_RESULTS) snapshots.inc({ result }, 0);
  const canaryToPublic = new Counter({
    name: 'dispatcher_canary_to_public_total',
    help: 'Sends of a canary’s alert to somebody who is no probe, stopped at the last step; is to stay 0 for ever',
    labelNames: ['transport'] as const,
    registers,
  });
  const recipients = new Counter({
    name: 'dispatcher_alert_recipients_total',
    help: 'Real alerts: devices that each one is for, by this node’s replica, whoever sends to them',
    labelNames: ['transport'] as const,
    registers,
  });
  for (const transport of TRANSPORTS) {
    canaryToPublic.inc({ transport }, 0);
    recipients.inc({ transport }, 0);
  }
  for (const lane of [...LANES, 'peer'])
    for (const result of ARRIVAL_RESULTS) arrivals.inc({ lane, result }, 0);
  for (const source of JUNK_SOURCES) junk.inc({ source }, 0);
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  return {
    outcomes,
    acceptTimes: createAcceptTimes(registry),
    arrivals,
    junk,
    canaryToPublic,
    recipients,
    /** How far the alerts are that this node is sending, asked when the metrics are read. */
    watchFanOut(read: () => readonly FanOutFigures[]): void {
      watchFanOut(registers, read);
    },
    liveAlerts: gauge(
      'dispatcher_live_alerts',
      'Alerts that this node is sending or watching over',
    ),
    registrySize: gauge(
      'dispatcher_registry_devices',
      'Active subscriptions in this node’s replica',
    ),
    registryRebuilt: gauge(
      'dispatcher_registry_rebuilt',
      '1 when the replica was corrupt at start and is filled anew',
    ),
    registryDamage: new Counter({
      name: 'dispatcher_registry_damage_total',
      help: 'Times that something in the replica was not what was written. Anything above 0 wants a look at the disk',
      registers,
    }),
    snapshots,
    /** Shows how many subscriptions are quarantined, asked when the metrics are read. */
    watchQuarantine(read: () => readonly { transport: string; count: number }[]): void {
      new Gauge({
        name: 'dispatcher_quarantine_devices',
        help: 'Subscriptions that wait for a human to say whether they are gone; they are sent to as before',
        labelNames: ['transport'] as const,
        registers,
        collect() {
          for (const transport of TRANSPORTS) this.set({ transport }, 0);
          for (const { transport, count } of read()) this.set({ transport }, count);
        },
      });
    },
    quarantined: new Counter({
      name: 'dispatcher_quarantined_total',
      help: 'Subscriptions that a provider called gone in a storm: kept, for a human to judge',
      labelNames: ['transport'] as const,
      registers,
    }),
    removed: new Counter({
      name: 'dispatcher_removed_total',
      help: 'Subscriptions removed because their provider said gone',
      labelNames: ['transport'] as const,
      registers,
    }),
    /** Shows how many sends wait for a provider's answer, asked when the metrics are read. */
    watchInFlight(read: () => readonly { transport: string; inFlight: number }[]): void {
      new Gauge({
        name: 'dispatcher_in_flight_sends',
        help: 'Sends that wait for a provider’s answer',
        labelNames: ['transport'] as const,
        registers,
        collect() {
          for (const { transport, inFlight } of read()) this.set({ transport }, inFlight);
        },
      });
    },
    receiptsDropped: gauge(
      'dispatcher_receipts_dropped',
      'Receipts not sent directly because a peer is too far behind',
    ),
    refilled,
    busReady: new Gauge({
      name: 'dispatcher_bus_ready',
      help: '1 when the site’s bus is connected, syncs each write and holds the declared streams',
      labelNames: ['bus_site'] as const,
      registers,
    }),
  };
}

/** How far real alerts are on one transport, as one node knows it. */
export interface FanOutFigures {
  readonly transport: TransportKind;
  readonly recipients: number;
  /** By anybody, as far as this node knows. */
  readonly accepted: number;
  /** Tried by this node and to be tried again. */
  readonly pending: number;
}

function watchFanOut(registers: Registry[], read: () => readonly FanOutFigures[]): void {
  new Gauge({
    name: 'dispatcher_fan_out_devices',
    help: 'Real alerts that are being sent or watched over: whom they are for, who was accepted by any node, who is to be tried again',
    labelNames: ['transport', 'state'] as const,
    registers,
    collect() {
      for (const { transport, recipients, accepted, pending } of read()) {
        this.set({ transport, state: 'recipient' }, recipients);
        this.set({ transport, state: 'accepted' }, accepted);
        this.set({ transport, state: 'pending' }, pending);
      }
    },
  });
}

type OutcomeKind = (typeof OUTCOME_KINDS)[number];

/** Plain numbers until the metrics are read: there is an outcome for each message. */
function countOutcomes(registers: Registry[]): Record<TransportKind, Record<OutcomeKind, number>> {
  const none = () => ({ accepted: 0, gone: 0, rejected: 0, throttled: 0, unavailable: 0 });
  const counts = { fcm: none(), 'web-push': none() };
  new Counter({
    name: 'dispatcher_outcomes_total',
    help: 'Sends by transport and what the provider made of them; accepted is not received',
    labelNames: ['transport', 'outcome'] as const,
    registers,
    collect() {
      this.reset();
      for (const transport of TRANSPORTS)
        for (const outcome of OUTCOME_KINDS)
          this.inc({ transport, outcome }, counts[transport][outcome]);
    },
  });
  return counts;
}
