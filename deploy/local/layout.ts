import { join, resolve } from 'node:path';

const SITE_NAMES = ['a', 'b', 'c'] as const;
export const SERVICES = ['dispatcher', 'ingest', 'edge', 'canary'] as const;
export type ServiceKind = (typeof SERVICES)[number];
export type ProcessKind = ServiceKind | 'nats' | 'sandbox';

export interface Site {
  readonly name: string;
  readonly ports: Readonly<Record<ServiceKind | 'nats' | 'natsMonitor', number>>;
}

/** Where everything of one local system is: ports and files, all derived from three numbers and a folder. */
export interface Layout {
  /** Absolute. */
  readonly stateDir: string;
  readonly portBase: number;
  readonly sites: readonly Site[];
  readonly sandbox: {
    readonly mcs: number;
    readonly unifiedPush: number;
    readonly providers: number;
    readonly receivers: number;
    readonly control: number;
  };
  readonly controlPort: number;
  /** Where programs listen: loopback, or every address of their own network namespace. */
  readonly host: '127.0.0.1' | '0.0.0.0';
}

export interface LayoutOptions {
  /** 1 to 3. */
  readonly sites: number;
  readonly portBase: number;
  readonly stateDir: string;
}

/** Ports as docs/interfaces.md has them. */
export function layoutOf({ sites, portBase, stateDir }: LayoutOptions): Layout {
  return {
    stateDir: resolve(stateDir),
    portBase,
    sites: SITE_NAMES.slice(0, sites).map((name, i) => {
      const first = portBase + 10 * i;
      return {
        name,
        ports: {
          ingest: first + 1,
          dispatcher: first + 2,
          canary: first + 3,
          edge: first + 4,
          nats: first + 5,
          natsMonitor: first + 6,
        },
      };
    }),
    sandbox: {
      mcs: portBase + 89,
      unifiedPush: portBase + 90,
      providers: portBase + 91,
      receivers: portBase + 92,
      control: portBase + 93,
    },
    controlPort: portBase + 99,
    host: '127.0.0.1',
  };
}

/** Every port that the system listens on, with what it is for. */
export function portsOf(layout: Layout): { readonly port: number; readonly use: string }[] {
  return [
    ...layout.sites.flatMap(({ name, ports }) =>
      Object.entries(ports).map(([use, port]) => ({ port, use: `${use} of site ${name}` })),
    ),
    ...Object.entries(layout.sandbox).map(([use, port]) => ({
      port,
      use: `${use} of the sandbox`,
    })),
    { port: layout.controlPort, use: "the launcher's control" },
  ];
}

/** A service's own address, as other services call it. */
export function urlOf(site: Site, kind: ServiceKind): string {
  return `http://127.0.0.1:${site.ports[kind]}`;
}

/** The stand-in for the push providers. By name, because its certificate and the push endpoints carry the name. */
export function providersOrigin(layout: Layout): string {
  return `https://localhost:${layout.sandbox.providers}`;
}

/** The stand-in for a self-hosted push service that speaks UnifiedPush. */
export function unifiedPushOrigin(layout: Layout): string {
  return `https://localhost:${layout.sandbox.unifiedPush}`;
}

export function sandboxControlUrl(layout: Layout): string {
  return `http://127.0.0.1:${layout.sandbox.control}`;
}

/** Files in the state folder. */
export function filesOf(stateDir: string) {
  const at = (...parts: string[]) => join(stateDir, ...parts);
  return {
    binDir: at('bin'),
    keysDir: at('keys'),
    runFile: at('run.json'),
    cliFile: at('cli.json'),
    internalToken: at('secrets', 'internal-token'),
    trustedKeys: at('trusted-keys.json'),
    apiKeys: at('api-keys.json'),
    vapid: at('secrets', 'vapid.json'),
    serviceAccount: at('secrets', 'fcm-service-account.json'),
    serviceAccountPublicKey: at('secrets', 'fcm-service-account-public.pem'),
    caCert: at('tls', 'ca.pem'),
    caKey: at('tls', 'ca-key.pem'),
    tlsCert: at('tls', 'localhost.pem'),
    tlsKey: at('tls', 'localhost-key.pem'),
    signingKey: (site: string, audience: 'public' | 'canary') =>
      at('keys', `${site}-${audience}-1.json`),
    apiKey: (id: string) => at('keys', `${id}.key`),
    natsPassword: (site: string, user: string) => at('secrets', `nats-${site}-${user}`),
    natsConfig: (site: string) => at('nats', `${site}.conf`),
    natsStore: (site: string) => at('nats', site),
    dataDir: (process: string) => at('data', process),
    logFile: (process: string) => at('logs', `${process}.log`),
    statusDir: (site: string) => at('status', site),
  };
}
