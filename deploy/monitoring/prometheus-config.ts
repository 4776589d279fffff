import type { ProcessKind } from '../local/layout.ts';

/** What is read, by kind: `host:port` of each service's own port, where `/metrics` is. */
export type ScrapeTargets = Readonly<
  Partial<Record<Exclude<ProcessKind, 'nats' | 'sandbox'>, readonly string[]>>
>;

export interface PrometheusSettings {
  readonly targets: ScrapeTargets;
  /** `host:port` of every Alertmanager, and of the other Prometheus: each one watches the others. */
  readonly alertmanagers: readonly string[];
  readonly prometheuses: readonly string[];
  /** Glob of the rule files, absolute or relative to the configuration. */
  readonly rules: string;
  /** Names this Prometheus in what it sends, such as the site that it runs in. */
  readonly replica: string;
}

/** The targets of a running system, from its addresses by name (`ingest-a`, …). */
export function targetsOf(urls: Readonly<Record<string, string>>): ScrapeTargets {
  const of = (kind: string) =>
    Object.entries(urls)
      .filter(([name]) => name.startsWith(`${kind}-`))
      .map(([, url]) => new URL(url).host);
  return {
    ingest: of('ingest'),
    dispatcher: of('dispatcher'),
    edge: of('edge'),
    canary: of('canary'),
  };
}

/** Scraped and judged every 15 s: with rounds every minute a dead path is paged within 180 s (docs/monitoring.md). */
const EVERY = '15s';

/** Prometheus' configuration (written as JSON, which is YAML too). Run two, in different sites, each reading everything. */
export function prometheusConfig(settings: PrometheusSettings) {
  const job = (name: string, targets: readonly string[]) => ({
    job_name: name,
    static_configs: [{ targets }],
  });
  return {
    global: {
      scrape_interval: EVERY,
      scrape_timeout: '5s',
      evaluation_interval: EVERY,
      external_labels: { replica: settings.replica },
    },
    rule_files: [settings.rules],
    alerting: {
      // Two replicas that say the same are one alert.
      alert_relabel_configs: [{ action: 'labeldrop', regex: 'replica' }],
      alertmanagers: [{ static_configs: [{ targets: settings.alertmanagers }] }],
    },
    scrape_configs: [
      ...Object.entries(settings.targets).map(([kind, targets]) => job(kind, targets)),
      job('prometheus', settings.prometheuses),
      job('alertmanager', settings.alertmanagers),
    ],
  };
}
