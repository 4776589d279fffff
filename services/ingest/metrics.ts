import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** How a request to send ended. */
const REQUEST_RESULTS = [
  'accepted',
  'replayed',
  'invalid',
  'not-authorised',
  'not-authenticated',
  'conflict',
  'not-stored',
  'busy',
] as const;
export type RequestResult = (typeof REQUEST_RESULTS)[number];

const AUDIENCE_KINDS = ['public', 'canary', 'unknown'] as const;

/** Metrics of this service. Every label value exists from the start, so that a rate over it is never a gap. */
export function createIngestMetrics(
  registry: Registry,
  targets: readonly { kind: string; site: string }[],
) {
  const requests = new Counter({
    name: 'ingest_requests_total',
    help: 'Requests to send, update or cancel an alert, by how they ended',
    labelNames: ['audience', 'result'] as const,
    registers: [registry],
  });
  for (const audience of AUDIENCE_KINDS)
    for (const result of REQUEST_RESULTS) requests.inc({ audience, result }, 0);
  const oneSite = new Counter({
    name: 'ingest_one_site_acceptances_total',
    help: 'Alerts accepted with a single site holding them: page, for people at once, for canaries when it goes on',
    labelNames: ['audience'] as const,
    registers: [registry],
  });
  for (const audience of AUDIENCE_KINDS) oneSite.inc({ audience }, 0);
  const laneResults = new Counter({
    name: 'ingest_lane_results_total',
    help: 'Attempts to hand an alert to a bus, dispatcher or edge',
    labelNames: ['kind', 'site', 'result'] as const,
    registers: [registry],
  });
  for (const { kind, site } of targets)
    for (const result of ['acknowledged', 'conflict', 'failed'])
      laneResults.inc({ kind, site, result }, 0);
  const acceptSeconds = new Histogram({
    name: 'ingest_accept_seconds',
    help: 'From a checked request to the decision that two sites, or one, have it',
    labelNames: ['durability'] as const,
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2],
    registers: [registry],
  });
  const outboxFailures = new Counter({
    name: 'ingest_outbox_failures_total',
    help: 'Reads or writes of the outbox that failed',
    registers: [registry],
  });
  const proofs = new Counter({
    name: 'ingest_proof_reports_total',
    help: 'Reports of canaries',
    registers: [registry],
  });
  return { requests, oneSite, laneResults, acceptSeconds, outboxFailures, proofs };
}
export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

/** Alerts in work, read when somebody looks. */
export function observeInWork(registry: Registry, read: () => number): void {
  new Gauge({
    name: 'ingest_alerts_in_work',
    help: 'Alerts between their check and their answer',
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** Which buses can be used, read when somebody looks. */
export function observeBuses(
  registry: Registry,
  buses: readonly { site: string; ready: boolean }[],
): void {
  new Gauge({
    name: 'ingest_bus_ready',
    help: '1 while the site’s bus is connected, checked and usable',
    labelNames: ['site'] as const,
    registers: [registry],
    collect() {
      for (const bus of buses) this.set({ site: bus.site }, bus.ready ? 1 : 0);
    },
  });
}
