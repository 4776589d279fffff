import {
  filesOf,
  type Layout,
  providersOrigin,
  SERVICES,
  sandboxControlUrl,
  urlOf,
} from './layout.ts';

/** Every address of a system by name: `ingest-a` … `canary-c`, `nats-a`, `sandbox`, `providers`, `receivers`, `control`. */
export function urlsOf(layout: Layout): Record<string, string> {
  const ofSites = layout.sites.flatMap((site) => [
    ...SERVICES.map((kind) => [`${kind}-${site.name}`, urlOf(site, kind)]),
    [`nats-${site.name}`, `nats://127.0.0.1:${site.ports.nats}`],
    [`nats-monitor-${site.name}`, `http://127.0.0.1:${site.ports.natsMonitor}`],
  ]);
  return {
    ...Object.fromEntries(ofSites),
    sandbox: sandboxControlUrl(layout),
    providers: providersOrigin(layout),
    receivers: `ws://127.0.0.1:${layout.sandbox.receivers}`,
    control: `http://127.0.0.1:${layout.controlPort}`,
  };
}

/** What a person sees when everything runs: where to look, what is real and what is not, what to try. */
export function welcome(layout: Layout): string {
  const perSite = layout.sites.flatMap((site) => [
    [`on-call page (site ${site.name})`, `http://localhost:${site.ports.canary}/`],
    [`public page (site ${site.name})`, `http://localhost:${site.ports.edge}/`],
    [
      `public status page (site ${site.name})`,
      `${filesOf(layout.stateDir).statusDir(site.name)}/index.fr.html`,
    ],
    [`ingest API (site ${site.name})`, `http://localhost:${site.ports.ingest}/openapi.json`],
    [`bus monitoring (site ${site.name})`, `http://localhost:${site.ports.natsMonitor}/`],
    [
      `metrics (site ${site.name})`,
      SERVICES.map((kind) => `:${site.ports[kind]}`)
        .join(' ')
        .concat(`  /metrics  (${SERVICES.join(', ')})`),
    ],
  ]);
  const rows = [
    ...perSite,
    ['sandbox control', `${sandboxControlUrl(layout)}/faults`],
    ["launcher's control", `http://127.0.0.1:${layout.controlPort}/processes`],
  ];
  const width = Math.max(...rows.map(([label = '']) => label.length));
  const table = rows.map(([label = '', url]) => `  ${label.padEnd(width)}  ${url}`).join('\n');
  return `
${table}

Stand-ins: Google's FCM and its OAuth, and Mozilla's push service, are played by the sandbox on this machine.
Everything else is the real thing. Nothing leaves this machine: no real phone can be reached from here.

State (keys, data, logs): ${layout.stateDir}
To try it, in another terminal:
  make demo
  node_modules/.bin/node services/cli/main.ts --config ${layout.stateDir}/cli.json send deploy/examples/nice-alert.json --follow
Ctrl-C stops everything.
`;
}
