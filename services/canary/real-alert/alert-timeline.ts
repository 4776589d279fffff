import { z } from 'zod';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { TRANSPORTS, TransportKind } from '../../../shared/envelope/envelope.ts';
import {
  type AcceptTiming,
  mergeTimings,
  timingCount,
  timingPercentile,
} from '../../../shared/receipt/accept-timing.ts';
import type { DispatchProgress, TransportProgress } from '../../../shared/receipt/progress.ts';
import { ProbeWitness } from '../../../shared/receipt/proof.ts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** Milliseconds from the instant when ingest accepted it (`issuedAt`) to a provider's acceptance, over all dispatchers. */
const AcceptedAfter = z.object({
  firstMs: milliseconds,
  p50Ms: milliseconds,
  p95Ms: milliseconds,
  p99Ms: milliseconds,
  lastMs: milliseconds,
});

const TransportTimeline = z.object({
  transport: TransportKind,
  audience: count,
  /** Taken by the provider; whether devices have it, probes and receipts say. */
  accepted: count,
  pending: count,
  after: AcceptedAfter.optional(),
});
export type TransportTimeline = z.infer<typeof TransportTimeline>;

/** What became of one real alert: when it was accepted, handed over by each transport, received by probes. */
export const AlertTimeline = z.object({
  id: AlertId,
  /** By language (`fr`, `en`, …), the alert's first one first. */
  headlines: z.record(z.string(), z.string()),
  status: z.string(),
  msgType: z.string(),
  senderName: z.string(),
  /** As CAP writes it: whole seconds, said by its author. */
  sent: z.string(),
  /** Wall clock of the ingest that accepted it, ms since 1970; undefined until a dispatcher has told. */
  acceptedAtMs: z.number().optional(),
  transports: z.array(TransportTimeline),
  /** One for each probe that received, decrypted and verified it, in the order of receipt. */
  witnesses: z.array(ProbeWitness),
  /** Probes that canaries which answered have registered; never fewer than the witnesses. */
  probes: count,
});
export type AlertTimeline = z.infer<typeof AlertTimeline>;

/** What all dispatchers that are known to have the alert say, by transport. People are never counted twice. Pure. */
export function transportTimelines(
  answers: readonly Pick<DispatchProgress, 'transports'>[],
): TransportTimeline[] {
  return TRANSPORTS.flatMap((transport) => {
    const parts = answers.flatMap(({ transports }) => transports[transport] ?? []);
    if (parts.length === 0) return [];
    const most = (read: (part: TransportProgress) => number) => Math.max(...parts.map(read));
    const after = acceptedAfter(parts);
    return [
      {
        transport,
        audience: most(({ audience }) => audience),
        accepted: most(({ acceptedKnown }) => acceptedKnown),
        pending: most(({ pending }) => pending),
        ...(after === undefined ? {} : { after }),
      },
    ];
  });
}

/**
 * What is known of each transport by what was said before and what is said now: acceptances only grow, so the word that
 * counts more stays. A dispatcher that was started again may know less than it once told. Pure.
 */
export function fullerTimelines(
  before: readonly TransportTimeline[],
  now: readonly TransportTimeline[],
): TransportTimeline[] {
  return TRANSPORTS.flatMap((transport) => {
    const [old, fresh] = [before, now].map((each) =>
      each.find((one) => one.transport === transport),
    );
    return (old && fresh && fresh.accepted < old.accepted ? old : (fresh ?? old)) ?? [];
  });
}

/** Of each node what it says itself, or what its peers know of it: the word that counts more is the newer one. */
function acceptedAfter(parts: readonly Pick<TransportProgress, 'timings'>[]) {
  const byNode = new Map<string, AcceptTiming>();
  for (const { timings } of parts)
    for (const [node, timing] of Object.entries(timings ?? {})) {
      const before = byNode.get(node);
      if (!before || timingCount(timing) > timingCount(before)) byNode.set(node, timing);
    }
  const merged = mergeTimings(byNode.values());
  if (!merged) return undefined;
  return {
    firstMs: merged.firstMs,
    p50Ms: timingPercentile(merged, 0.5),
    p95Ms: timingPercentile(merged, 0.95),
    p99Ms: timingPercentile(merged, 0.99),
    lastMs: merged.lastMs,
  };
}

/** Each probe once, at its earliest receipt, in the order of receipt. Pure. */
export function firstWitnesses(witnesses: readonly ProbeWitness[]): ProbeWitness[] {
  const first = new Map<string, ProbeWitness>();
  const inOrder = [...witnesses].sort(
    (a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt),
  );
  for (const witness of inOrder) if (!first.has(witness.probe)) first.set(witness.probe, witness);
  return [...first.values()];
}

/** From acceptance to the last probe's receipt so far; undefined while one of the two is unknown. */
export function witnessedAfterMs(alert: AlertTimeline): number | undefined {
  const last = alert.witnesses.at(-1);
  if (!last || alert.acceptedAtMs === undefined) return undefined;
  return Math.max(0, Date.parse(last.receivedAt) - alert.acceptedAtMs);
}

/** Within this time every probe should have it: the rounds' limit, several times over. */
const WITNESS_LIMIT_MS = 60_000;
/** Older ones are history: probes that were registered since could not have received them. */
const WITNESS_MATTERS_MS = 24 * 3_600_000;

/** Some probe should have received it and has not: devices beside it will not have it either. Pure. */
export function lacksWitnesses(alert: AlertTimeline, wallNowMs: number): boolean {
  const ageMs = wallNowMs - (alert.acceptedAtMs ?? Date.parse(alert.sent));
  const isDue = ageMs > WITNESS_LIMIT_MS && ageMs < WITNESS_MATTERS_MS;
  return isDue && (alert.witnesses.length < alert.probes || alert.witnesses.length === 0);
}
