import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
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

/** From raising a test alert to its verified receipt, as the probes measured it. */
function receiptLatency() {
  return new HeatmapBuilder()
    .title('From raised to received (test alerts)')
    .description(
      'Each column is a moment, each row a latency; a bright row that climbs is a path that slows down.',
    )
    .datasource(DATASOURCE)
    .span(24)
    .height(8)
    .withTarget(
      new DataqueryBuilder()
        .expr('sum by (le) (increase(canary_round_duration_seconds_bucket[$__rate_interval]))')
        .format('heatmap' as never)
        .legendFormat('{{le}}'),
    );
}

/**
 * The one dashboard: proofs by age first, then what is on its way, then what would break. No panel says OK: numbers on it
 * are ages, rates and counts (docs/monitoring.md).
 */
export function tocsinDashboard(): Dashboard {
  return new DashboardBuilder('Tocsin')
    .uid('tocsin')
    .tags(['tocsin'])
    .refresh('15s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').type('prometheus'))
    .withRow(new RowBuilder('Proofs of receipt'))
    .withPanel(
      number(
        'Youngest proof',
        'Age of the newest receipt on any path',
        's',
        'time() - max(canary_last_receipt_timestamp_seconds)',
      ),
    )
    .withPanel(
      number(
        'Oldest path',
        'Age of the proof of the path that is worst off',
        's',
        'max(path:canary_proof_age:seconds)',
      ),
    )
    .withPanel(
      number(
        'Paths without proof',
        'Older than 145 s',
        'none',
        'count(path:canary_proof_age:seconds > 145) or vector(0)',
      ),
    )
    .withPanel(
      number(
        'Real alerts witnessed by probes, 24 h',
        'Receipts of real alerts at our own probes',
        'none',
        'sum(increase(canary_witnesses_total[24h]))',
      ),
    )
    .withPanel(
      series(
        'Age of proof by path',
        'Saw teeth that fall to 0 every minute; a line that climbs is a dead path.',
        's',
        { w: 24, h: 10 },
        { expr: 'path:canary_proof_age:seconds', legend: '{{path}}' },
      ),
    )
    .withPanel(receiptLatency())
    .withRow(new RowBuilder('Alerts on their way'))
    .withPanel(
      series('Requests at ingest', 'By how they ended', 'reqps', THIRD, {
        expr: 'sum by (audience, result) (rate(ingest_requests_total[$__rate_interval]))',
        legend: '{{audience}} {{result}}',
      }),
    )
    .withPanel(
      series('Time to a safe 202', 'p99 until two sites have it', 's', THIRD, {
        expr: 'histogram_quantile(0.99, sum by (le) (rate(ingest_accept_seconds_bucket[5m])))',
        legend: 'p99',
      }),
    )
    .withPanel(
      series(
        'Hand-overs that failed, by lane',
        'Ingest to each bus, dispatcher and edge',
        'ops',
        THIRD,
        {
          expr: 'sum by (kind, site) (rate(ingest_lane_results_total{result="failed"}[$__rate_interval]))',
          legend: '{{kind}} {{site}}',
        },
      ),
    )
    .withPanel(
      series('Sends by outcome', 'Accepted is not received', 'ops', HALF, {
        expr: 'sum by (transport, outcome) (rate(dispatcher_outcomes_total[$__rate_interval]))',
        legend: '{{transport}} {{outcome}}',
      }),
    )
    .withPanel(
      series('Sends in flight', 'Waiting for a provider’s answer', 'none', HALF, {
        expr: 'dispatcher_in_flight_sends',
        legend: '{{node}} {{transport}}',
      }),
    )
    .withPanel(
      series('Envelopes by lane', 'Each comes twice: the second is a duplicate', 'ops', HALF, {
        expr: 'sum by (node, lane, result) (rate(dispatcher_arrivals_total[$__rate_interval]))',
        legend: '{{node}} {{lane}} {{result}}',
      }),
    )
    .withPanel(
      series('Receipts from devices', 'What phones and browsers say that they did', 'ops', HALF, {
        expr: 'sum by (transport, action) (rate(tocsin_edge_device_receipts_total[$__rate_interval]))',
        legend: '{{transport}} {{action}}',
      }),
    )
    .withRow(new RowBuilder('What would break'))
    .withPanel(
      series(
        'Buses that can be used',
        '0: away or refused',
        'none',
        THIRD,
        { expr: 'dispatcher_bus_ready', legend: 'dispatcher {{node}} bus {{bus_site}}' },
        { expr: 'ingest_bus_ready', legend: 'ingest {{node}} bus {{site}}' },
      ),
    )
    .withPanel(
      series('Subscriptions known', 'The nodes should agree', 'none', THIRD, {
        expr: 'dispatcher_registry_devices',
        legend: '{{node}}',
      }),
    )
    .withPanel(
      series('Web Push keys prepared', 'Ready for the next alert', 'none', THIRD, {
        expr: 'tocsin_web_push_records_ready',
        legend: '{{node}}',
      }),
    )
    .withPanel(
      series('Event loop', 'How long work waits for its turn', 's', THIRD, {
        expr: 'nodejs_eventloop_lag_p99_seconds',
        legend: '{{service}} {{node}}',
      }),
    )
    .withPanel(
      series('CPU', 'Cores', 'none', THIRD, {
        expr: 'rate(process_cpu_seconds_total[$__rate_interval])',
        legend: '{{service}} {{node}}',
      }),
    )
    .withPanel(
      series('Memory', 'Resident', 'bytes', THIRD, {
        expr: 'process_resident_memory_bytes',
        legend: '{{service}} {{node}}',
      }),
    )
    .build();
}
