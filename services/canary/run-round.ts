import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { alertId as alertIdOf } from '../../shared/alert/alert-id.ts';
import type { Peer } from '../../shared/bus/bus-config.ts';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../shared/http/fetch-json.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { canaryAlert } from './canary-alert.ts';
import type { MissStage, RoundResult } from './judge.ts';
import type { RoundBook } from './round-book.ts';

/** How a canary raises its test alerts. */
export interface RaiseSettings {
  readonly canary: string;
  readonly sender: string;
  readonly apiKey: string;
  readonly limitMs: number;
  readonly ingests: readonly Peer[];
  /** Device ids of the probes. */
  readonly addresses: readonly string[];
}

interface RoundDeps {
  readonly book: RoundBook;
  /** Wall clock, for the alert's own instants. */
  readonly wallNow: () => number;
  readonly signal: AbortSignal;
  /** A receipt that came after the round was given up. */
  readonly onLate: (path: CanaryPath, latencyMs: number) => void;
}

/**
 * One round on one path: raise a Test alert at that path's ingest, wait until a probe has received it. Undefined when
 * the canary stops meanwhile: that says nothing about the path.
 */
export async function runRound(
  path: CanaryPath,
  settings: RaiseSettings,
  deps: RoundDeps,
): Promise<RoundResult | undefined> {
  const nonce = randomBytes(16).toString('base64url');
  const over = new AbortController();
  const received = Promise.withResolvers<RoundResult>();
  deps.book.open(nonce, path, (latencyMs) => {
    if (over.signal.aborted || latencyMs > settings.limitMs) deps.onLate(path, latencyMs);
    else received.resolve({ kind: 'proved', latencyMs });
  });
  let alertId: string | undefined;
  const onAlert = (id: string) => {
    alertId = id;
  };
  const limit = sleep(settings.limitMs, AbortSignal.any([over.signal, deps.signal])).then(
    (): RoundResult => ({ kind: 'missed', stage: 'not-received' }),
  );
  // A refusal ends the round at once; an acceptance ends nothing, because a 202 is no proof.
  const refused = raise(path, nonce, settings, { ...deps, onAlert }).then((stage) =>
    stage === undefined ? limit : ({ kind: 'missed', stage } as const),
  );
  const result = await Promise.race([received.promise, refused, limit]);
  over.abort();
  if (result.kind !== 'missed') return result;
  if (deps.signal.aborted) return undefined;
  return alertId === undefined ? result : { ...result, alertId };
}

type RaiseDeps = Pick<RoundDeps, 'wallNow' | 'signal'> & {
  /** Told the test's id before it is sent. */
  readonly onAlert?: (alertId: string) => void;
};

/** Posts the alert. Undefined when it was accepted, otherwise why it was not. */
export async function raise(
  path: CanaryPath,
  nonce: string,
  settings: RaiseSettings,
  { wallNow, signal, onAlert }: RaiseDeps,
): Promise<MissStage | undefined> {
  const ingest = settings.ingests.find(({ name }) => name === path.ingest);
  if (!ingest) return 'ingest-unreachable';
  const nowMs = wallNow();
  const alert = canaryAlert({
    path,
    nonce,
    nowMs,
    sender: settings.sender,
    addresses: settings.addresses,
    identifier: `canary-${settings.canary}-${nowMs}-${randomBytes(6).toString('hex')}`,
  });
  onAlert?.(await alertIdOf(alert));
  try {
    await fetchJson(new URL('/v1/alerts', ingest.url).href, {
      json: alert,
      token: settings.apiKey,
      // Nothing in the answer is a proof, so nothing in it is looked at.
      schema: z.unknown(),
      timeoutMs: settings.limitMs,
      signal,
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return error.status === undefined ? 'ingest-unreachable' : 'ingest-refused';
  }
}
