import { Counter, Gauge, type Registry } from 'prom-client';
import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { REJECTED_REASONS, UNAVAILABLE_REASONS } from './outcome.ts';
import { SendTally } from './send-tally.ts';
import type { Outcome } from './transport.ts';

export type TransportMetrics = ReturnType<typeof createTransportMetrics>;

export const CONNECTION_EVENTS = ['opened', 'draining', 'lost', 'refused'] as const;
export type ConnectionEvent = (typeof CONNECTION_EVENTS)[number];

/**
 * Built once per process; every label value is there from the start. What is counted for each message is kept as plain
 * numbers and written into the metrics when they are read: a labelled counter costs as much as sealing a message.
 */
export function createTransportMetrics(registry: Registry) {
  const registers = [registry];
  const tallies = { fcm: new SendTally(), 'web-push': new SendTally() } satisfies Record<
    TransportKind,
    SendTally
  >;
  const outcomes = new Counter({
    name: 'tocsin_push_outcomes_total',
    help: 'Answers of the push providers, by outcome; accepted means that the provider took the message',
    labelNames: ['transport', 'outcome', 'reason'] as const,
    registers,
    collect() {
      this.reset();
      for (const transport of TRANSPORTS)
        for (const labels of ALL_OUTCOME_LABELS)
          this.inc({ transport, ...labels }, tallies[transport].count(labels));
    },
  });
  watchSeconds(registers, tallies);
  const waiting = new Map<TransportKind, () => number>();
  new Gauge({
    name: 'tocsin_push_in_flight',
    help: 'Sends that wait for their outcome',
    labelNames: ['transport'] as const,
    registers,
    collect() {
      for (const transport of TRANSPORTS) this.set({ transport }, waiting.get(transport)?.() ?? 0);
    },
  });
  const connections = new Counter({
    name: 'tocsin_push_connection_events_total',
    help: 'What happened to the kept connections to providers',
    labelNames: ['transport', 'event'] as const,
    registers,
  });
  const tokenRefreshes = new Counter({
    name: 'tocsin_fcm_token_refreshes_total',
    help: 'Attempts to renew the FCM access token',
    labelNames: ['result'] as const,
    registers,
  });
  for (const transport of TRANSPORTS)
    for (const event of CONNECTION_EVENTS) connections.inc({ transport, event }, 0);
  for (const result of ['ok', 'failed'] as const) tokenRefreshes.inc({ result }, 0);
  return {
    outcomes,
    tallies,
    connections,
    tokenRefreshes,
    watchInFlight(transport: TransportKind, read: () => number): void {
      waiting.set(transport, read);
    },
  };
}

/** A histogram's three series, written from the tallies when they are read. */
function watchSeconds(
  registers: Registry[],
  tallies: Readonly<Record<TransportKind, SendTally>>,
): void {
  const name = 'tocsin_push_send_seconds';
  const help = 'Time from a send to its outcome';
  const labelNames = ['transport'] as const;
  new Counter({
    name: `${name}_bucket`,
    help,
    labelNames: ['transport', 'le'] as const,
    registers,
    collect() {
      this.reset();
      for (const transport of TRANSPORTS)
        for (const { le, count } of tallies[transport].buckets())
          this.inc({ transport, le }, count);
    },
  });
  new Counter({
    name: `${name}_sum`,
    help,
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const transport of TRANSPORTS) this.inc({ transport }, tallies[transport].seconds);
    },
  });
  new Counter({
    name: `${name}_count`,
    help,
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const transport of TRANSPORTS) this.inc({ transport }, tallies[transport].sends);
    },
  });
}

const ALL_OUTCOME_LABELS: readonly { outcome: Outcome['kind']; reason: string }[] = [
  { outcome: 'accepted', reason: '' },
  { outcome: 'gone', reason: '' },
  { outcome: 'throttled', reason: 'device' },
  { outcome: 'throttled', reason: 'project' },
  ...REJECTED_REASONS.map((reason) => ({ outcome: 'rejected' as const, reason })),
  ...UNAVAILABLE_REASONS.map((reason) => ({ outcome: 'unavailable' as const, reason })),
];

export interface TransportEventDeps {
  readonly log: Logger;
  readonly metrics: TransportMetrics;
}

export function sendEnded(
  deps: TransportEventDeps,
  transport: TransportKind,
  outcome: Outcome,
  seconds: number,
): void {
  const reason = reasonLabel(outcome);
  deps.metrics.tallies[transport].add(outcome.kind, reason, seconds);
  // The level is asked first: under load even an object for a line that nobody writes is too much.
  if (outcome.kind !== 'accepted' && deps.log.isLevelEnabled('debug'))
    deps.log.debug({ transport, outcome: outcome.kind, reason }, 'push was not accepted');
}

function reasonLabel(outcome: Outcome): string {
  if (outcome.kind === 'rejected' || outcome.kind === 'unavailable') return outcome.reason;
  return outcome.kind === 'throttled' ? outcome.scope : '';
}

/** `origin` is one of the known push services or one that the operator listed, so it may be logged. */
export function connectionChanged(
  deps: TransportEventDeps,
  change: { transport: TransportKind; origin: string; event: ConnectionEvent; detail: string },
): void {
  const { transport, event } = change;
  deps.metrics.connections.inc({ transport, event });
  const level = event === 'lost' || event === 'refused' ? 'warn' : 'info';
  deps.log[level](change, 'connection to a push provider');
}

export function tokenRefreshed(
  deps: TransportEventDeps,
  event: { ok: true } | { ok: false; error: unknown },
): void {
  deps.metrics.tokenRefreshes.inc({ result: event.ok ? 'ok' : 'failed' });
  if (event.ok) deps.log.info('FCM access token renewed');
  // Only the message: Google's errors carry the whole request, assertion included.
  else
    deps.log.error({ error: errorFields(event.error).error }, 'FCM access token was not renewed');
}
