import { z } from 'zod';
import type { Peer } from '../../shared/bus/bus-config.ts';
import { CanaryPath, TRANSPORTS, type TransportKind } from '../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../shared/http/fetch-json.ts';
import { PROOF_LIFE_SECONDS, type ProofReport } from '../../shared/receipt/proof.ts';
import type { Clock } from '../../shared/time/clock.ts';

/** What the canaries' proofs say about one transport, in instants of this node's clock. */
export interface TransportProofs {
  /** When the newest round that came through this node was sent. */
  readonly ownSentAtMs: number | undefined;
  /** When any other node was proved last. */
  readonly othersProvedAtMs: number | undefined;
}

/**
 * Rounds of another node come several times in this time, if any come at all: silence for so long since the start says
 * that all are waiting, whatever was proved before.
 */
const PATIENCE_MS = 45_000;
const ASK_MS = 2_000;

/**
 * Whether a node that has just been started may call itself ready on a transport: a canary's round that was sent after its
 * start has come through it, or nobody's rounds come through, so that waiting helps no one: then it serves, and others
 * page. Pure.
 */
export function isBack(
  { ownSentAtMs, othersProvedAtMs }: TransportProofs,
  { startedMs, nowMs }: { readonly startedMs: number; readonly nowMs: number },
): boolean {
  if (ownSentAtMs !== undefined && ownSentAtMs >= startedMs) return true;
  if (othersProvedAtMs === undefined || nowMs - othersProvedAtMs > PROOF_LIFE_SECONDS * 1000)
    return true;
  return othersProvedAtMs < startedMs && nowMs - startedMs > PATIENCE_MS;
}

/** Answer of a canary's `GET /v1/paths`, as far as it is read. */
const PathsAnswer = z.looseObject({
  canary: z.string(),
  paths: z.array(
    z.looseObject({
      path: CanaryPath,
      ageSeconds: z.number().nonnegative().nullable(),
      latencyMs: z.number().nonnegative().nullable(),
    }),
  ),
});

interface OwnProofDeps {
  readonly node: string;
  readonly canaries: readonly Peer[];
  readonly now: Clock;
  readonly signal: AbortSignal;
}

export interface OwnProof {
  /** `spokenAtMs`: when the canary said so, by this node's clock. */
  readonly note: (report: Pick<ProofReport, 'proofs'>, spokenAtMs: number) => void;
  /** Once true, it stays true: what a proof that lapses later means is for the canaries to say, and they page. */
  readonly isBack: () => boolean;
}

/**
 * Readiness by receipt: processes that answer and deliver nothing are what canaries are for, so a restarted dispatcher
 * takes nobody's word for itself. The canaries are asked once, at the start, what is proved elsewhere (later they say so
 * themselves); where there are none, or none answers, nobody could ever say it.
 */
export function startOwnProof({ node, canaries, now, signal }: OwnProofDeps): OwnProof {
  const startedMs = now();
  const ownSentAtMs = new Map<TransportKind, number>();
  const othersProvedAtMs = new Map<TransportKind, number>();
  const later = (of: Map<TransportKind, number>, transport: TransportKind, atMs: number) =>
    of.set(transport, Math.max(atMs, of.get(transport) ?? 0));
  const note: OwnProof['note'] = ({ proofs }, spokenAtMs) => {
    for (const { path, ageMs, latencyMs } of proofs) {
      const provedAtMs = Math.min(spokenAtMs, now()) - ageMs;
      if (path.dispatcher === node) later(ownSentAtMs, path.transport, provedAtMs - latencyMs);
      else later(othersProvedAtMs, path.transport, provedAtMs);
    }
  };
  let hasAsked = false;
  void Promise.all(canaries.map((canary) => ask(canary, note, now, signal))).then(() => {
    hasAsked = true;
  });
  let wasBack = false;
  return {
    note,
    isBack: () => {
      if (wasBack || canaries.length === 0) return true;
      if (!hasAsked) return false;
      const at = { startedMs, nowMs: now() };
      const proofsOf = (transport: TransportKind) => ({
        ownSentAtMs: ownSentAtMs.get(transport),
        othersProvedAtMs: othersProvedAtMs.get(transport),
      });
      wasBack = TRANSPORTS.every((transport) => isBack(proofsOf(transport), at));
      return wasBack;
    },
  };
}

async function ask(
  canary: Peer,
  note: OwnProof['note'],
  now: Clock,
  signal: AbortSignal,
): Promise<void> {
  try {
    const { paths } = await fetchJson(new URL('/v1/paths', canary.url).href, {
      schema: PathsAnswer,
      timeoutMs: ASK_MS,
      signal,
    });
    const proofs = paths.flatMap(({ path, ageSeconds, latencyMs }) =>
      ageSeconds === null ? [] : [{ path, ageMs: ageSeconds * 1000, latencyMs: latencyMs ?? 0 }],
    );
    note({ proofs }, now());
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
  }
}
