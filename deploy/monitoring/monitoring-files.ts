import { alertmanagerConfig, type Receivers } from './alertmanager-config.ts';
import { prometheusConfig, type ScrapeTargets } from './prometheus-config.ts';

/** Where the containers of deploy/compose.yaml listen, in the network that they share. */
export const MONITORING_PORTS = {
  prometheus: 8494,
  alertmanager: 8495,
  grafana: 8496,
  pages: 8497,
};
/** Where Prometheus' container has the rule files. */
export const RULES_GLOB = '/etc/prometheus/rules/*.yml';

type Env = Readonly<Record<string, string | undefined>>;

/** Whom to call, from `PAGER_URLS` (with commas), `TICKETS_URL`, `WATCHDOG_URL`; what is not set goes to the service `pages`. */
export function receiversFrom(env: Env): Receivers {
  const stand = (kind: string) => `http://127.0.0.1:${MONITORING_PORTS.pages}/${kind}`;
  const pagers = (env['PAGER_URLS'] ?? '').split(',').filter((url) => url !== '');
  return {
    pagers: pagers.length > 0 ? pagers : [stand('page')],
    tickets: env['TICKETS_URL'] || stand('ticket'),
    deadMan: env['WATCHDOG_URL'] || stand('dead-man'),
  };
}

/** Configuration files of Prometheus and Alertmanager by name. Pure. */
export function monitoringFiles(
  targets: ScrapeTargets,
  env: Env,
  rules = RULES_GLOB,
): Readonly<Record<'prometheus.yml' | 'alertmanager.yml', string>> {
  const at = (port: number) => `127.0.0.1:${port}`;
  const prometheus = prometheusConfig({
    targets,
    alertmanagers: [at(MONITORING_PORTS.alertmanager)],
    prometheuses: [at(MONITORING_PORTS.prometheus)],
    rules,
    replica: 'compose',
  });
  return {
    'prometheus.yml': JSON.stringify(prometheus, null, 2),
    'alertmanager.yml': JSON.stringify(alertmanagerConfig(receiversFrom(env)), null, 2),
  };
}
