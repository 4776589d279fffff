import type { Registry } from 'prom-client';
import type { BusSite, Peer } from '../../../shared/bus/bus-config.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { createCredentialMetrics } from '../../../shared/metrics/credential-metrics.ts';
import { byEnd, type CredentialState } from '../../../shared/receipt/credential.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { CERTIFICATE_TIMING, watchCertificates } from '../../../shared/tls/watch-certificates.ts';
import { certificatePlaces } from './certificate-places.ts';
import { gatherCredentials } from './gather-credentials.ts';

/** What is read of the canary's settings. */
interface Options {
  readonly nodeName: string;
  readonly ingests: readonly Peer[];
  readonly dispatchers: readonly Peer[];
  readonly edges: readonly Peer[];
  readonly canaries: readonly Peer[];
  readonly natsSites: readonly BusSite[];
  /** The push service that the probes listen at. */
  readonly autopushUrl: string;
  readonly deadmanUrl: string | undefined;
}

interface Deps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly wallNow: Clock;
  readonly internalToken: string;
  /** Of the newest proof on any path; null: none yet. */
  readonly newestProofAgeMs: () => number | null;
  readonly signal: AbortSignal;
}

/** What ends, and what is refused: told by ingests and dispatchers, and seen by this canary itself. */
export function startCredentials(
  options: Options,
  deps: Deps,
): { readonly states: () => CredentialState[]; readonly running: Promise<void> } {
  const { nodeName: canary, natsSites, autopushUrl, deadmanUrl } = options;
  const of = (kind: string, peers: readonly Peer[]) => peers.map((peer) => ({ kind, peer }));
  const asked = [...of('ingest', options.ingests), ...of('dispatcher', options.dispatchers)];
  const peers = [...asked, ...of('edge', options.edges), ...of('canary', options.canaries)];
  const places = certificatePlaces({
    canary,
    peers,
    natsSites,
    others: { autopush: autopushUrl, 'dead-man': deadmanUrl },
  });
  const certificates = watchCertificates(() => places, CERTIFICATE_TIMING, deps);
  const gathered = gatherCredentials(asked, deps);
  const own = () => {
    const ageMs = deps.newestProofAgeMs();
    const provedAtMs = ageMs === null ? undefined : deps.wallNow() - ageMs;
    return [...certificates.states(), ...provedByReceipt(canary, provedAtMs)];
  };
  createCredentialMetrics(deps.registry, own);
  return {
    states: () => byEnd([...gathered.states(), ...own()]),
    running: Promise.all([certificates.running, gathered.running]).then(() => undefined),
  };
}

/** A round is let in by the canary's API key and signed by ingest's canary key; a probe has checked both by receiving it. */
function provedByReceipt(canary: string, atMs: number | undefined): CredentialState[] {
  const proved = atMs === undefined ? {} : { lastProvedAt: new Date(atMs).toISOString() };
  const where = `canary ${canary}`;
  return [
    { name: `api-key-canary-${canary}`, kind: 'api-key', where, ...proved },
    { name: 'signing-key-canary', kind: 'signing-key', where, ...proved },
  ];
}
