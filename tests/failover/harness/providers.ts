import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import type { CertifiedKey } from '../../../deploy/local/certificate.ts';
import { filesOf, type Layout, layoutOf, providersOrigin } from '../../../deploy/local/layout.ts';
import type { ProcessSpec } from '../../../deploy/local/managed-process.ts';
import { findFreePortBase, isFree } from '../../../deploy/local/ports.ts';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { makeBadCertificates } from '../../support/bad-certificates.ts';
import { TcpFaultProxy } from '../../support/tcp-fault-proxy.ts';
import { setFaults } from '../../support/whole-system.ts';
import type { FaultSystem } from './fault-system.ts';
import type { Stage } from './stage.ts';

/** A system in which each provider has an address of its own, with a link to it that can be made bad. */
export interface Providers {
  readonly system: FaultSystem;
  /** Between the dispatchers and that transport's provider. */
  readonly links: Readonly<Record<TransportKind, TcpFaultProxy>>;
  /** The provider's switches; those that are not named are off. Every answer waits a moment, whatever else is set. */
  readonly switch: (
    changes: Partial<Record<TransportKind, Readonly<Record<string, unknown>>>>,
  ) => Promise<void>;
  /** Requests that have reached that provider since the sandbox started. */
  readonly requests: (transport: TransportKind) => Promise<number>;
}

/** 300 devices per transport in the area. */
const DEVICES = 3_000;
/** How long an answer takes: so long are requests in flight, and an undisturbed fan-out takes at least that. */
const LATENCY_MS = 300;
/** 200 places per node and transport: each of them needs them nearly all. */
const NARROW = { FCM_SESSIONS: '2', WEB_PUSH_SESSIONS: '2' };
/** Site a's dispatcher sends with one HTTP/2 client, b's with the other, unless HTTP2_CLIENT chooses one for both. */
const CLIENTS: Readonly<Record<string, string>> = { a: 'node', b: 'framed' };
const FCM_PORT_OFFSET = 94;

const Stats = z.object({
  fcm: z.object({ requests: z.int() }),
  webPush: z.object({ requests: z.int() }),
});
const nameOf = (transport: TransportKind) => (transport === 'fcm' ? 'fcm' : 'webPush');

let made: Providers['links'] | undefined;

/** The system of the rows about providers. */
export async function providers(stage: Stage): Promise<Providers> {
  const system = await stage.system('providers', async () => {
    const portBase = await freePortBase();
    const layout = layoutOf({ sites: 2, portBase, stateDir: '/' });
    const links = {
      fcm: await linkTo(portBase + FCM_PORT_OFFSET),
      'web-push': await linkTo(layout.sandbox.providers),
    };
    made = links;
    return {
      devices: DEVICES,
      portBase,
      prepare: writeBadCertificates,
      adjust: (spec) => throughLinks(spec, layout, links),
      cleanUp: async () => {
        await Promise.all(Object.values(links).map((link) => link.close()));
      },
    };
  });
  const links = made;
  if (!links) throw new Error('there are no links to providers');
  const latencyMs = LATENCY_MS;
  return {
    system,
    links,
    switch: (changes) =>
      setFaults(system, {
        fcm: { latencyMs, ...changes.fcm },
        webPush: { latencyMs, ...changes['web-push'] },
      }),
    requests: async (transport) => {
      const url = `${urlOf(system, 'sandbox')}/stats`;
      const stats = await fetchJson(url, { schema: Stats, timeoutMs: 5_000 });
      return stats[nameOf(transport)].requests;
    },
  };
}

async function freePortBase(): Promise<number> {
  for (;;) {
    const portBase = await findFreePortBase(2);
    if (await isFree(portBase + FCM_PORT_OFFSET)) return portBase;
  }
}

const linkTo = (port: number) => TcpFaultProxy.start({ host: '127.0.0.1', port });

function throughLinks(spec: ProcessSpec, layout: Layout, links: Providers['links']): ProcessSpec {
  const origin = (transport: TransportKind) => `https://localhost:${links[transport].port}`;
  const env = { ...spec.env };
  env['EXTRA_PUSH_ORIGINS'] &&= env['EXTRA_PUSH_ORIGINS'].replace(
    providersOrigin(layout),
    origin('web-push'),
  );
  if (spec.kind === 'dispatcher') {
    const client = process.env['HTTP2_CLIENT'] || CLIENTS[spec.site ?? ''] || 'node';
    const ownOrigins = { FCM_ORIGIN: origin('fcm'), OAUTH_ORIGIN: origin('fcm') };
    Object.assign(env, NARROW, ownOrigins, { HTTP2_CLIENT: client });
  }
  if (spec.kind === 'sandbox') {
    // The state folder is made when the ports are known, so it is taken from what stands in it.
    const tlsFolder = dirname(env['TLS_CERT_FILE'] ?? '');
    Object.assign(env, {
      FCM_HTTPS_PORT: String(layout.portBase + FCM_PORT_OFFSET),
      PUSH_ORIGIN: origin('web-push'),
      TLS_EXPIRED_FILE: join(tlsFolder, 'expired.pem'),
      TLS_WRONG_NAME_FILE: join(tlsFolder, 'wrong-name.pem'),
    });
  }
  return { ...spec, env };
}

function writeBadCertificates(layout: Layout): void {
  const files = filesOf(layout.stateDir);
  const authority: CertifiedKey = {
    certificate: readFileSync(files.caCert, 'utf8'),
    privateKey: readFileSync(files.caKey, 'utf8'),
  };
  for (const [name, bad] of Object.entries(makeBadCertificates(authority, Date.now())))
    writeFileSync(join(dirname(files.caCert), `${name}.pem`), bad.privateKey + bad.certificate, {
      mode: 0o600,
    });
}
