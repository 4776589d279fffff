import { Counter, Gauge, type Registry } from 'prom-client';
import { LANES, TRANSPORTS } from '../../shared/envelope/envelope.ts';
import { DEVICE_ACTIONS } from '../../shared/receipt/device-receipt.ts';

const REGISTRATION_RESULTS = [
  'created',
  'updated',
  'removed',
  'imported',
  'refused',
  'limited',
  'shed',
  'unavailable',
] as const;
export type RegistrationResult = (typeof REGISTRATION_RESULTS)[number];

const ARRIVAL_RESULTS = ['stored', 'duplicate', 'conflict', 'refused'] as const;
export type ArrivalResult = (typeof ARRIVAL_RESULTS)[number];

/** Where an alert came from: a lane, or a dispatcher's journal after both were missed. */
const ARRIVALS = [...LANES, 'journal'] as const;
export type Arrival = (typeof ARRIVALS)[number];

export interface EdgeMetrics {
  readonly registrations: Counter<'result'>;
  readonly registryWrites: Counter<'site' | 'result'>;
  readonly outbox: Gauge;
  readonly deviceReceipts: Counter<'transport' | 'action'>;
  readonly alerts: Counter<'arrival' | 'result'>;
  readonly canaryToPublic: Counter<'where'>;
}

/** `page`: a canary's alert stood among those of the public page. `device`: a device says that it showed one. */
const CANARY_PLACES = ['page', 'device'] as const;
export type CanaryPlace = (typeof CANARY_PLACES)[number];

/** The edge's own metrics, with every label value set to 0 at start so that a rate has a beginning. */
export function createEdgeMetrics(registry: Registry, sites: readonly string[]): EdgeMetrics {
  const registers = [registry];
  const metrics: EdgeMetrics = {
    registrations: new Counter({
      name: 'tocsin_edge_registrations_total',
      help: 'Registration requests by how they ended',
      labelNames: ['result'],
      registers,
    }),
    registryWrites: new Counter({
      name: 'tocsin_edge_registry_writes_total',
      help: 'Registry records published, by site and whether the site acknowledged',
      labelNames: ['site', 'result'],
      registers,
    }),
    outbox: new Gauge({
      name: 'tocsin_edge_outbox_records',
      help: 'Registry records that a site still has to get',
      registers,
    }),
    deviceReceipts: new Counter({
      name: 'tocsin_edge_device_receipts_total',
      help: 'Receipts from devices',
      labelNames: ['transport', 'action'],
      registers,
    }),
    alerts: new Counter({
      name: 'tocsin_edge_alerts_total',
      help: 'Signed alerts that arrived for the public page',
      labelNames: ['arrival', 'result'],
      registers,
    }),
    canaryToPublic: new Counter({
      name: 'tocsin_edge_canary_to_public_total',
      help: 'Canaries’ alerts that reached the public page or, by its own receipt, somebody’s device; is to stay 0 for ever',
      labelNames: ['where'],
      registers,
    }),
  };
  for (const where of CANARY_PLACES) metrics.canaryToPublic.inc({ where }, 0);
  for (const result of REGISTRATION_RESULTS) metrics.registrations.inc({ result }, 0);
  for (const site of sites)
    for (const result of ['acknowledged', 'failed'])
      metrics.registryWrites.inc({ site, result }, 0);
  for (const transport of TRANSPORTS)
    for (const action of DEVICE_ACTIONS) metrics.deviceReceipts.inc({ transport, action }, 0);
  for (const arrival of ARRIVALS)
    for (const result of ARRIVAL_RESULTS) metrics.alerts.inc({ arrival, result }, 0);
  return metrics;
}

/** Which sites' buses can be used, read when somebody looks. Named as in ingest and dispatcher, for one alarm on all. */
export function observeBuses(
  registry: Registry,
  buses: readonly { readonly site: string; readonly ready: boolean }[],
): void {
  new Gauge({
    name: 'edge_bus_ready',
    help: '1 while the site’s bus is connected, checked and usable',
    labelNames: ['site'] as const,
    registers: [registry],
    collect() {
      for (const { site, ready } of buses) this.set({ site }, ready ? 1 : 0);
    },
  });
}
