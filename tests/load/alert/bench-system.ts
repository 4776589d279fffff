import { appendFileSync, copyFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { filesOf, type Layout } from '../../../deploy/local/layout.ts';
import { makeCertificate } from '../../../services/dispatcher/transports/test-support/certificate.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import type { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import type { ProofReport } from '../../../shared/receipt/proof.ts';
import { FaultSystem } from '../../failover/harness/fault-system.ts';
import { type Sink, startSink } from '../contest/start-sink.ts';
import type { Bus } from './load-devices.ts';

/** Between a whole request and its answer: a provider a country away. */
export const REPLY_MS = 50;
const PROOFS_EVERY_MS = 5_000;
/** Settings of the senders that the environment may change for a trial; what ships otherwise. */
export const SENDER_SETTINGS: Readonly<Record<string, string>> = Object.fromEntries(
  ['HTTP2_CLIENT', 'FCM_RAMP_SECONDS', 'FCM_QUOTA_PER_MINUTE', 'FCM_SESSIONS'].flatMap((name) => {
    const value = process.env[name];
    return value ? [[name, value]] : [];
  }),
);
const SITES = ['a', 'b'] as const;
const KINDS = ['dispatcher', 'ingest'] as const;

/** Two sites of real processes whose providers are fast sinks. */
export interface BenchSystem {
  readonly system: FaultSystem;
  readonly sinks: Readonly<Record<'fcm' | 'web-push', Sink>>;
  readonly pushOrigin: string;
  readonly buses: readonly Bus[];
  /** From now on nobody proves this dispatcher any more, as when it is dead. */
  readonly stopProving: (site: string) => void;
  readonly proveAgain: (site: string) => void;
}

/**
 * Starts ingests, dispatchers and buses. Canaries are left out, so that they don't use the cores that are measured: in
 * their place somebody says every few seconds that each dispatcher that lives is proved.
 */
export async function startBenchSystem(cleanup: CleanupStack): Promise<BenchSystem> {
  const certificate = makeCertificate();
  const tls = { keyPem: certificate.key, certPem: certificate.cert };
  const options = { replyMs: REPLY_MS, maxStreams: 100, ...tls };
  const fcm = await startSink({ kind: 'fcm', ...options }, cleanup);
  const webPush = await startSink({ kind: 'web-push', ...options }, cleanup);
  const pushOrigin = `https://localhost:${webPush.port}`;
  const system = await FaultSystem.start({
    services: KINDS,
    prepare: (layout) => trustSinks(layout, certificate.cert),
    adjust: (spec) =>
      spec.kind === 'dispatcher'
        ? {
            ...spec,
            env: {
              ...spec.env,
              LOG_LEVEL: 'warn',
              NODE_EXTRA_CA_CERTS: bundleOf(spec.env['NODE_EXTRA_CA_CERTS'] ?? ''),
              FCM_ORIGIN: `https://localhost:${fcm.port}`,
              ...SENDER_SETTINGS,
              EXTRA_PUSH_ORIGINS: `${spec.env['EXTRA_PUSH_ORIGINS']},${pushOrigin}`,
            },
          }
        : spec,
  });
  cleanup.add('system', () => system.close());
  const proved = new Set<string>(SITES);
  const timer = setInterval(() => void prove(system, [...proved]), PROOFS_EVERY_MS);
  cleanup.add('proofs', () => clearInterval(timer));
  await prove(system, [...proved]);
  return {
    system,
    sinks: { fcm, 'web-push': webPush },
    pushOrigin,
    buses: busesOf(system.layout),
    stopProving: (site) => proved.delete(site),
    proveAgain: (site) => proved.add(site),
  };
}

function bundleOf(caFile: string): string {
  return join(dirname(caFile), 'bench-ca.pem');
}

function trustSinks(layout: Layout, certPem: string): void {
  const { caCert } = filesOf(layout.stateDir);
  copyFileSync(caCert, bundleOf(caCert));
  appendFileSync(bundleOf(caCert), certPem);
}

function busesOf(layout: Layout): Bus[] {
  const files = filesOf(layout.stateDir);
  return layout.sites.map((site) => ({
    url: `nats://127.0.0.1:${site.ports.nats}`,
    user: 'dispatcher',
    password: readFileSync(files.natsPassword(site.name, 'dispatcher'), 'utf8').trim(),
  }));
}

async function prove(system: FaultSystem, sites: readonly string[]): Promise<void> {
  const report: ProofReport = {
    v: 1,
    canary: 'bench',
    proofs: sites.flatMap((dispatcher) =>
      (['fcm', 'web-push'] as const).map((transport) => ({
        path: { ingest: 'a', lane: 'direct' as const, dispatcher, transport },
        ageMs: 0,
        latencyMs: 0,
      })),
    ),
  };
  await Promise.allSettled(
    sites.map((site) =>
      fetchJson(`${urlOf(system, `dispatcher-${site}`)}/v1/proofs`, {
        schema: z.unknown(),
        timeoutMs: 2_000,
        token: system.internalToken,
        json: report,
      }),
    ),
  );
}
