import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  filesOf,
  type Layout,
  type ServiceKind,
  type Site,
  sandboxControlUrl,
  urlOf,
} from './layout.ts';
import type { ProcessSpec } from './managed-process.ts';
import { sandboxEnv, serviceEnv } from './service-env.ts';
import { vapidPublicKey } from './state.ts';
import { StartError } from './wait-for.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export type ExtraEnv = Readonly<
  Partial<Record<ServiceKind | 'sandbox', Readonly<Record<string, string>>>>
>;

/** What a child takes over from the launcher's own environment. */
const INHERITED = [
  ...['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'LOG_LEVEL', 'DOCKER_HOST'],
  // To try a whole system with the one and with the other.
  'HTTP2_CLIENT',
] as const;

function inherited(): Record<string, string> {
  return Object.fromEntries(
    INHERITED.flatMap((name) =>
      process.env[name] === undefined ? [] : [[name, process.env[name]]],
    ),
  );
}

/** nats-server of one site. */
export function natsSpec(layout: Layout, site: Site, server: string): ProcessSpec {
  const files = filesOf(layout.stateDir);
  const name = `nats-${site.name}`;
  const monitor = `http://127.0.0.1:${site.ports.natsMonitor}`;
  return {
    name,
    kind: 'nats',
    site: site.name,
    file: server,
    args: ['-c', files.natsConfig(site.name)],
    env: inherited(),
    cwd: layout.stateDir,
    logFile: files.logFile(name),
    url: `nats://127.0.0.1:${site.ports.nats}`,
    startupUrl: `${monitor}/healthz`,
    readyUrl: `${monitor}/healthz`,
  };
}

/** The stand-in for the push providers. It says on its control port that it is up. */
export function sandboxSpec(layout: Layout, extra: ExtraEnv): ProcessSpec {
  const control = sandboxControlUrl(layout);
  return {
    ...nodeSpec(layout, 'sandbox', 'sandbox'),
    kind: 'sandbox',
    env: { ...inherited(), ...sandboxEnv(layout), ...extra.sandbox },
    url: control,
    startupUrl: `${control}/startup`,
    readyUrl: `${control}/ready`,
  };
}

/** One service of one site. */
export function serviceSpec(
  layout: Layout,
  site: Site,
  kind: ServiceKind,
  extra: ExtraEnv,
): ProcessSpec {
  const url = urlOf(site, kind);
  const env = serviceEnv(kind, site, { layout, vapidPublicKey: vapidPublicKey(layout.stateDir) });
  return {
    ...nodeSpec(layout, kind, `${kind}-${site.name}`),
    kind,
    site: site.name,
    env: { ...inherited(), ...env, ...extra[kind] },
    url,
    startupUrl: `${url}/startup`,
    readyUrl: `${url}/ready`,
  };
}

/** Throws StartError when a service is not in this checkout, before anything is started. */
export function checkSources(kinds: readonly (ServiceKind | 'sandbox')[]): void {
  const missing = kinds.map(mainOf).filter((main) => !existsSync(join(ROOT, main)));
  if (missing.length > 0)
    throw new StartError(`this checkout lacks ${missing.join(', ')}: nothing is started`);
}

function mainOf(kind: string): string {
  return join('services', kind, 'main.ts');
}

function nodeSpec(layout: Layout, kind: string, name: string) {
  return {
    name,
    file: process.execPath,
    args: [mainOf(kind)],
    cwd: ROOT,
    logFile: filesOf(layout.stateDir).logFile(name),
  };
}
