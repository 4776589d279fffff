import type { BusSite, Peer } from '../../../shared/bus/bus-config.ts';
import { lookAtCertificate } from '../../../shared/tls/look-at-certificate.ts';
import type { WatchedCertificate } from '../../../shared/tls/watch-certificates.ts';
import { lookAtNatsCertificate } from './nats-certificate.ts';

const LOOK_LIMIT_MS = 5_000;

/** Addresses of this system and of what it leans on, by a name of a bounded set. */
export interface CertificateSources {
  readonly canary: string;
  readonly peers: readonly { readonly kind: string; readonly peer: Peer }[];
  readonly natsSites: readonly BusSite[];
  /** Such as the push service that the probes listen at; undefined: not in use. */
  readonly others: Readonly<Record<string, string | undefined>>;
}

const TLS_SCHEMES = ['https:', 'wss:'];

/** Every address among them that speaks TLS (`https`, `wss`; a bus by `tls://`). Pure. */
export function certificatePlaces(sources: CertificateSources): WatchedCertificate[] {
  const where = `canary ${sources.canary}`;
  const place = (name: string, url: string): WatchedCertificate[] => {
    if (!TLS_SCHEMES.includes(new URL(url).protocol)) return [];
    const at = hostAndPort(url, 443);
    const look = (signal: AbortSignal) =>
      lookAtCertificate(at, { timeoutMs: LOOK_LIMIT_MS, signal });
    return [{ name, key: `${name} ${at.host}:${at.port}`, where, look }];
  };
  const bus = (site: string, url: string): WatchedCertificate[] => {
    if (!url.startsWith('tls:')) return [];
    // A scheme that URL does not know keeps no default port, and reads hosts less strictly.
    const at = hostAndPort(url.replace(/^tls:/, 'https:'), 4222);
    const look = (signal: AbortSignal) =>
      lookAtNatsCertificate(at, { timeoutMs: LOOK_LIMIT_MS, signal });
    return [{ name: `tls-nats-${site}`, key: `nats ${at.host}:${at.port}`, where, look }];
  };
  return [
    ...sources.peers.flatMap(({ kind, peer }) => place(`tls-${kind}-${peer.name}`, peer.url)),
    ...sources.natsSites.flatMap(({ site, url, monitorUrl }) => [
      ...url.split(',').flatMap((each) => bus(site, each)),
      ...monitorUrl.split(',').flatMap((each) => place(`tls-nats-monitor-${site}`, each)),
    ]),
    ...Object.entries(sources.others).flatMap(([name, url]) =>
      url === undefined ? [] : place(`tls-${name}`, url),
    ),
  ];
}

function hostAndPort(url: string, defaultPort: number): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) };
}
