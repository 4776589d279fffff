import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { REJECTED_REASONS, UNAVAILABLE_REASONS } from './outcome.ts';
import type { Outcome } from './transport.ts';

export type TransportMetrics = ReturnType<typeof createTransportMetrics>;

/** Built once per process; every label value is there from the start. */
export function createTransportMetrics(registry: Registry) {
  const registers = [registry];
  const outcomes = new Counter({
    name: 'tocsin_push_outcomes_total',
    help: 'Answers of the push providers, by outcome; accepted means that the provider took the message',
    labelNames: ['transport', 'outcome', 'reason'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'tocsin_push_send_seconds',
    help: 'Time from a send to its outcome',
    labelNames: ['transport'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const inFlight = new Gauge({
    name: 'tocsin_push_in_flight',
    help: 'Sends that wait for their outcome',
    labelNames: ['transport'] as const,
    registers,
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
  for (const transport of TRANSPORTS) {
    for (const labels of ALL_OUTCOME_LABELS) outcomes.inc({ transport, ...labels }, 0);
    inFlight.set({ transport }, 0);
  }
  for (const event of ['opened', 'draining', 'lost'] as const)
    connections.inc({ transport: 'fcm', event }, 0);
  for (const result of ['ok', 'failed'] as const) tokenRefreshes.inc({ result }, 0);
  return { outcomes, seconds, inFlight, connections, tokenRefreshes };
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
  event: { transport: TransportKind; outcome: Outcome; seconds: number },
): void {
  const { transport, outcome, seconds } = event;
  const reason = reasonLabel(outcome);
  deps.metrics.outcomes.inc({ transport, outcome: outcome.kind, reason });
  deps.metrics.seconds.observe({ transport }, seconds);
  if (outcome.kind !== 'accepted')
    deps.log.debug({ transport, outcome: outcome.kind, reason }, 'push was not accepted');
}

function reasonLabel(outcome: Outcome): string {
  if (outcome.kind === 'rejected' || outcome.kind === 'unavailable') return outcome.reason;
  return outcome.kind === 'throttled' ? outcome.scope : '';
}

export function connectionChanged(
  deps: TransportEventDeps,
  event: 'opened' | 'draining' | 'lost',
  detail: string,
): void {
  deps.metrics.connections.inc({ transport: 'fcm', event });
  deps.log[event === 'lost' ? 'warn' : 'info']({ event, detail }, 'FCM connection');
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
