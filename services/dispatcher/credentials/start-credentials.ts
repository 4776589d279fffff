import type { Registry as MetricsRegistry } from 'prom-client';
import type { Logger } from '../../../shared/log/logger.ts';
import { createCredentialMetrics } from '../../../shared/metrics/credential-metrics.ts';
import {
  byEnd,
  type CredentialReport,
  MAX_CREDENTIALS,
} from '../../../shared/receipt/credential.ts';
import type { WebPushAddress } from '../../../shared/subscription/subscription.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { lookAtCertificate } from '../../../shared/tls/look-at-certificate.ts';
import {
  CERTIFICATE_TIMING,
  type WatchedCertificate,
  watchCertificates,
} from '../../../shared/tls/watch-certificates.ts';
import { PushKeys } from './push-keys.ts';
import { pushServiceClass } from './push-service-class.ts';

const LOOK_LIMIT_MS = 5_000;
/** Push services that are looked at: those that most devices are with come first. */
const MAX_PUSH_SERVICES = 20;

interface Options {
  readonly node: string;
  readonly fcmOrigin: string;
  readonly oauthOrigin: string;
}

interface Deps {
  readonly registry: MetricsRegistry;
  readonly log: Logger;
  readonly now: Clock;
}

/** What this node shows to providers and what they show to it: `ended` is told of each send. */
export function startCredentials({ node, fcmOrigin, oauthOrigin }: Options, deps: Deps) {
  const stop = new AbortController();
  const keys = new PushKeys(node, deps.now);
  const place = (name: string, origin: string): WatchedCertificate => ({
    name,
    key: `${name} ${origin}`,
    where: `dispatcher ${node}`,
    look: (signal) => lookAtCertificate(placeOf(origin), { timeoutMs: LOOK_LIMIT_MS, signal }),
  });
  const fixed = [place('tls-fcm', fcmOrigin), place('tls-google-oauth', oauthOrigin)];
  let services: readonly WatchedCertificate[] = [];
  const certificates = watchCertificates(() => [...fixed, ...services], CERTIFICATE_TIMING, {
    log: deps.log,
    wallNow: deps.now,
    signal: stop.signal,
  });
  const states = () => byEnd([...certificates.states(), ...keys.states()]);
  createCredentialMetrics(deps.registry, states);
  return {
    ended: keys.ended.bind(keys),
    /** One address at each of the push services that most devices are with. */
    useServices(addresses: readonly WebPushAddress[]): void {
      services = addresses.slice(0, MAX_PUSH_SERVICES).map(({ endpoint }) => {
        const { origin } = new URL(endpoint);
        return place(`tls-push-${pushServiceClass(endpoint)}`, origin);
      });
    },
    report: (): CredentialReport => ({
      v: 1,
      node,
      credentials: states().slice(0, MAX_CREDENTIALS),
    }),
    async close(): Promise<void> {
      stop.abort();
      keys.close();
      await certificates.running;
    },
  };
}

function placeOf(origin: string): { host: string; port: number } {
  const { hostname, port } = new URL(origin);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port) };
}
