/** Where Grafana's container has what these files name. */
export const DASHBOARDS_FOLDER = '/etc/grafana/dashboards/tocsin';

/**
 * For `/etc/grafana/provisioning/dashboards` (Grafana, "Provision Grafana: dashboards"): it reads `tocsin.json` from a folder
 * and cannot change it.
 */
function dashboardProvider() {
  return {
    apiVersion: 1,
    providers: [
      {
        name: 'tocsin',
        orgId: 1,
        type: 'file',
        disableDeletion: true,
        allowUiUpdates: false,
        updateIntervalSeconds: 60,
        options: { path: DASHBOARDS_FOLDER },
      },
    ],
  };
}

/**
 * For `/etc/grafana/provisioning/datasources` ("Provision Grafana: data sources"). Grafana puts the variable
 * `PROMETHEUS_URL` of its own environment into it. The interval is that of Prometheus' reading.
 */
function dataSource() {
  return {
    apiVersion: 1,
    datasources: [
      {
        name: 'Tocsin',
        uid: 'tocsin-prometheus',
        orgId: 1,
        type: 'prometheus',
        access: 'proxy',
        url: '$PROMETHEUS_URL',
        isDefault: true,
        editable: false,
        jsonData: { timeInterval: '15s', httpMethod: 'POST' },
      },
    ],
  };
}

/** The files beside this one, by the name that they have: written as JSON, which is YAML too. */
export function provisioningFiles(): Readonly<Record<string, unknown>> {
  return {
    'provisioning/dashboards/tocsin.yaml': dashboardProvider(),
    'provisioning/datasources/tocsin.yaml': dataSource(),
  };
}
