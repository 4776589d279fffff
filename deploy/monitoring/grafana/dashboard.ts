import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

// biome does not know Grafana's own placeholders, which look like JavaScript's.
const DATASOURCE = { type: 'prometheus', uid: `$${'{datasource}'}` };
/** Grafana's grid is 24 wide. */
const HALF = { w: 12, h: 8 };
const THIRD = { w: 8, h: 8 };

interface Query {
  readonly expr: string;
  readonly legend: string;
}

function query({ expr, legend }: Query) {
  return new DataqueryBuilder().expr(expr).legendFormat(legend).range();
}

function series(
  title: string,
  description: string,
  unit: string,
  size: { w: number; h: number },
  ...queries: readonly Query[]
) {
  const panel = new TimeseriesBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .min(0)
    .span(size.w)
    .height(size.h);
  for (const each of queries) panel.withTarget(query(each));
  return panel;
}

function number(title: string, description: string, unit: string, expr: string) {
  return new StatBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .unit(unit)
    .span(6)
    .height(4)
    .withTarget(new DataqueryBuilder().expr(expr).instant());
}

/** Columns are moments, rows are times of the buckets of a histogram. */
function heatmap(title: string, description: string, metric: string) {
  return new HeatmapBuilder()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .span(12)
    .height(8)
    .withTarget(
      new DataqueryBuilder()
        .expr(`sum by (le) (increase(${metric}_bucket[$__rate_interval]))`)
        .format(PromQueryFormat.Heatmap)
        .legendFormat('{{le}}'),
    );
}

/**
 * The one dashboard: proofs by age first, then what is on its way, then what would break. No panel says OK: numbers on it
 * are ages, rates and counts (docs/monitoring.md).
 */
export function tocsinDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('Tocsin')
    .uid('tocsin')
    .tags(['tocsin'])
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus'));
  for (const { title, panels } of ROWS) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels()) dashboard.withPanel(panel);
  }
  return dashboard.build();
}

type Panel = ReturnType<typeof series | typeof number | typeof heatmap>;

/** Worst first: what a row shows is read before the next one. */
const ROWS: readonly { readonly title: string; readonly panels: () => Panel[] }[] = [
  { title: 'Proofs of receipt', panels: proofs },
  { title: 'Alerts on their way', panels: alerts },
  { title: 'Providers', panels: providers },
  { title: 'Lanes', panels: lanes },
  { title: 'Buses (JetStream)', panels: buses },
  { title: 'Registry', panels: registry },
  { title: 'Credentials and drills', panels: credentials },
  { title: 'Saturation', panels: saturation },
];

function proofs(): Panel[] {
  return [
    number(
      'Youngest proof',
      'Age of the newest receipt on any path',
      's',
      'time() - max(canary_last_receipt_timestamp_seconds)',
    ),
    number(
      'Oldest path',
      'Age of the proof of the path that is worst off',
      's',
      'max(path:canary_proof_age:seconds)',
    ),
    number(
      'Paths without proof',
      'Older than 145 s',
      'none',
      'count(path:canary_proof_age:seconds > 145) or vector(0)',
    ),
    number(
      'Tests that went to the public',
      'To stay 0 for ever: by a dispatcher’s last look, or by a device’s receipt',
      'none',
      'sum(dispatcher_canary_to_public_total) + sum(tocsin_edge_canary_to_public_total)',
    ),
    series(
      'Age of proof by path',
      'Saw teeth that fall to 0 every minute; a line that climbs is a dead path.',
      's',
      { w: 24, h: 10 },
      { expr: 'path:canary_proof_age:seconds', legend: '{{path}}' },
    ),
    heatmap(
      'From raised to received (test alerts)',
      'A bright row that climbs is a path that slows down.',
      'canary_round_duration_seconds',
    ),
    series('Rounds without proof', 'By how they ended', 'ops', HALF, {
      expr: 'sum by (result) (rate(canary_rounds_total{result!="proved"}[$__rate_interval]))',
      legend: '{{result}}',
    }),
  ];
}

function alerts(): Panel[] {
  return [
    series('Requests at ingest', 'By how they ended', 'reqps', THIRD, {
      expr: 'sum by (audience, result) (rate(ingest_requests_total[$__rate_interval]))',
      legend: '{{audience}} {{result}}',
    }),
    series('Time to a safe 202', 'p99 until two sites have it', 's', THIRD, {
      expr: 'histogram_quantile(0.99, sum by (le) (rate(ingest_accept_seconds_bucket[5m])))',
      legend: 'p99',
    }),
    number(
      'Real alerts witnessed by probes, 24 h',
      'Receipts of real alerts at our own probes',
      'none',
      'sum(increase(canary_witnesses_total[24h]))',
    ),
    series(
      'Fan-out progress',
      'Real alerts in hand: whom they are for, and who was accepted by any node; each dispatcher as it knows',
      'none',
      HALF,
      { expr: 'dispatcher_fan_out_devices', legend: '{{node}} {{transport}} {{state}}' },
    ),
    heatmap(
      'From signed to accepted (real alerts)',
      'Accepted by the provider is not received by the device.',
      'dispatcher_accept_seconds',
    ),
    series('Receipts from devices', 'What phones and browsers say that they did', 'ops', HALF, {
      expr: 'sum by (transport, action) (rate(tocsin_edge_device_receipts_total[$__rate_interval]))',
      legend: '{{transport}} {{action}}',
    }),
    series(
      'Sends for each recipient, 1 h',
      '1: nobody was sent to twice. Above it, dispatchers preferred a repeat to a miss.',
      'none',
      HALF,
      {
        expr: 'sum by (transport) (increase(dispatcher_accept_seconds_count[1h])) / max by (transport) (increase(dispatcher_alert_recipients_total[1h]))',
        legend: '{{transport}}',
      },
    ),
  ];
}

function providers(): Panel[] {
  return [
    series('Sends by outcome', 'Accepted is not received', 'ops', HALF, {
      expr: 'sum by (transport, outcome) (rate(dispatcher_outcomes_total[$__rate_interval]))',
      legend: '{{transport}} {{outcome}}',
    }),
    series('Not accepted, by reason', 'auth is our credential or clock', 'ops', HALF, {
      expr: 'sum by (transport, outcome, reason) (rate(tocsin_push_outcomes_total{outcome!="accepted"}[$__rate_interval])) > 0',
      legend: '{{transport}} {{outcome}} {{reason}}',
    }),
    series('Providers taken for down', 'Breakers that are not closed', 'none', THIRD, {
      expr: 'sum by (node, transport) (dispatcher_breakers{state!="closed"})',
      legend: '{{node}} {{transport}}',
    }),
    series('Answers of providers', 'p99 of one send', 's', THIRD, {
      expr: 'histogram_quantile(0.99, sum by (le, transport) (rate(tocsin_push_send_seconds_bucket[5m])))',
      legend: '{{transport}}',
    }),
    series('Connections', 'Opened, lost, refused', 'ops', THIRD, {
      expr: 'sum by (transport, event) (rate(tocsin_push_connection_events_total[$__rate_interval]))',
      legend: '{{transport}} {{event}}',
    }),
  ];
}

function lanes(): Panel[] {
  return [
    series('Age of proof by lane', 'One lane that climbs: the other carries all', 's', THIRD, {
      expr: 'lane:canary_proof_age:seconds',
      legend: '{{lane}}',
    }),
    series('Hand-overs that failed', 'Ingest to each bus, dispatcher and edge', 'ops', THIRD, {
      expr: 'sum by (kind, site) (rate(ingest_lane_results_total{result="failed"}[$__rate_interval]))',
      legend: '{{kind}} {{site}}',
    }),
    series('Envelopes by lane', 'Each comes twice: the second is a duplicate', 'ops', THIRD, {
      expr: 'sum by (node, lane, result) (rate(dispatcher_arrivals_total[$__rate_interval]))',
      legend: '{{node}} {{lane}} {{result}}',
    }),
  ];
}

function buses(): Panel[] {
  return [
    series(
      'Buses that can be used',
      '0: away or refused, by each service',
      'none',
      THIRD,
      { expr: 'dispatcher_bus_ready', legend: 'dispatcher {{node}} bus {{bus_site}}' },
      { expr: 'ingest_bus_ready', legend: 'ingest {{node}} bus {{site}}' },
      { expr: 'edge_bus_ready', legend: 'edge {{node}} bus {{site}}' },
    ),
    series(
      'Servers, by their own word',
      '0: ill or away; or does not sync each write',
      'none',
      THIRD,
      { expr: 'max by (bus, server) (canary_bus_healthy)', legend: 'health {{bus}} {{server}}' },
      { expr: 'min by (bus, server) (canary_bus_sync_always)', legend: 'sync {{bus}} {{server}}' },
    ),
    series(
      'Time of the last error',
      'When a server last did not answer or was not well',
      'dateTimeAsIso',
      THIRD,
      {
        expr: 'max by (bus, server) (canary_bus_last_error_timestamp_seconds) * 1000',
        legend: '{{bus}} {{server}}',
      },
    ),
    series(
      'Use of limits',
      'REGISTRY refuses when it is full; the others drop their oldest',
      'percentunit',
      THIRD,
      {
        expr: 'max by (bus, stream) (canary_bus_stream_bytes / (canary_bus_stream_limit_bytes > 0))',
        legend: '{{bus}} {{stream}}',
      },
      {
        expr: 'max by (bus) (canary_bus_storage_bytes / (canary_bus_storage_limit_bytes > 0))',
        legend: '{{bus}} store',
      },
    ),
    series('Messages kept', 'By stream', 'none', THIRD, {
      expr: 'max by (bus, stream) (canary_bus_stream_messages)',
      legend: '{{bus}} {{stream}}',
    }),
    series(
      'Readers',
      'Messages that wait for the reader which is furthest behind; clients connected',
      'none',
      THIRD,
      {
        expr: 'max by (bus, stream) (canary_bus_stream_pending_messages)',
        legend: 'waiting {{bus}} {{stream}}',
      },
      { expr: 'max by (bus, server) (canary_bus_connections)', legend: 'clients {{bus}}' },
    ),
  ];
}

function registry(): Panel[] {
  return [
    series('Subscriptions known', 'The nodes should agree', 'none', THIRD, {
      expr: 'dispatcher_registry_devices',
      legend: '{{node}}',
    }),
    series(
      'Gone',
      'In quarantine for a human, and removed',
      'none',
      THIRD,
      { expr: 'dispatcher_quarantine_devices', legend: 'quarantine {{node}} {{transport}}' },
      {
        expr: 'increase(dispatcher_removed_total[1h])',
        legend: 'removed in 1 h {{node}} {{transport}}',
      },
    ),
    series(
      'Registrations',
      'By how they ended, and those that wait for a site',
      'none',
      THIRD,
      {
        expr: 'sum by (result) (rate(tocsin_edge_registrations_total[$__rate_interval]))',
        legend: '{{result}} /s',
      },
      { expr: 'tocsin_edge_outbox_records', legend: 'waiting at edge {{node}}' },
    ),
  ];
}

function credentials(): Panel[] {
  return [
    series('Days until it ends', 'Certificates and keys; three days are a page', 'd', HALF, {
      expr: 'credential:time_left:seconds / 86400',
      legend: '{{credential}}',
    }),
    series('Since it was last accepted', 'A credential that nobody accepts climbs', 's', HALF, {
      expr: 'time() - max by (credential, node) (credential_last_accepted_timestamp_seconds > 0)',
      legend: '{{credential}} {{node}}',
    }),
    series('Age of drills', 'Since the last success; decades: never', 's', HALF, {
      expr: 'kind:canary_drill_age:seconds',
      legend: '{{kind}}',
    }),
    series('Clocks', 'How far each node is from a canary', 's', HALF, {
      expr: 'max by (kind, peer) (abs(canary_clock_skew_seconds))',
      legend: '{{kind}} {{peer}}',
    }),
  ];
}

function saturation(): Panel[] {
  return [
    series(
      'Sends in flight',
      'Waiting for a provider’s answer; and as many as may',
      'none',
      THIRD,
      { expr: 'dispatcher_in_flight_sends', legend: '{{node}} {{transport}}' },
      { expr: 'dispatcher_web_push_in_flight_limit', legend: '{{node}} limit of web-push' },
    ),
    series('FCM’s quota', 'Sends a second that a node allows itself', 'ops', THIRD, {
      expr: 'dispatcher_fcm_rate_per_second',
      legend: '{{node}}',
    }),
    series('Web Push keys prepared', 'Ready for the next alert', 'none', THIRD, {
      expr: 'tocsin_web_push_records_ready',
      legend: '{{node}}',
    }),
    series('Event loop', 'How long work waits for its turn', 's', THIRD, {
      expr: 'nodejs_eventloop_lag_p99_seconds',
      legend: '{{service}} {{node}}',
    }),
    series('CPU', 'Cores', 'none', THIRD, {
      expr: 'rate(process_cpu_seconds_total[$__rate_interval])',
      legend: '{{service}} {{node}}',
    }),
    series('Memory', 'Resident', 'bytes', THIRD, {
      expr: 'process_resident_memory_bytes',
      legend: '{{service}} {{node}}',
    }),
  ];
}
