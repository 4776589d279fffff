import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import {
  DEVICE_ACTIONS,
  type DeviceReceiptCounts,
} from '../../../shared/receipt/device-receipt.ts';
import type { DispatchProgress, TransportProgress } from '../../../shared/receipt/progress.ts';
import type { ProbeWitness, WitnessAnswer } from '../../../shared/receipt/proof.ts';
import type { AlertProgress, MergedTransport, NodeProgress } from './alert-progress.ts';
import { mergeTiming } from './merge-timing.ts';

/** What one dispatcher said: its progress, that it does not know the alert, or nothing. */
export interface NodeAnswer {
  readonly node: string;
  readonly site: string;
  readonly answer: DispatchProgress | 'unknown-alert' | 'no-answer';
}

export interface ProgressSources {
  readonly nodes: readonly NodeAnswer[];
  /** One for each canary that answered. */
  readonly witnesses: readonly WitnessAnswer[];
  /** One for each edge that answered. */
  readonly receipts: readonly DeviceReceiptCounts[];
  /** What this ingest knows by itself. */
  readonly refused: boolean;
  readonly cancelled: boolean;
  readonly expired: boolean;
}

type Witnessed = Omit<AlertProgress['probes'], 'afterSeconds'>;
type Merged = Pick<AlertProgress, 'state' | 'nodes' | 'transports' | 'deviceReceipts'> & {
  readonly probes: Witnessed;
};

/** One view out of everybody's. Pure. */
export function mergeProgress(sources: ProgressSources): Merged {
  const answered = sources.nodes.flatMap(({ answer }) =>
    typeof answer === 'string' ? [] : [answer],
  );
  return {
    state: mergedState(answered, sources),
    nodes: sources.nodes.map(nodeProgress),
    transports: Object.fromEntries(
      TRANSPORTS.flatMap((transport) => {
        const parts = answered.flatMap(({ transports }) => transports[transport] ?? []);
        return parts.length === 0 ? [] : [[transport, mergeTransport(parts)]];
      }),
    ),
    probes: mergeWitnesses(sources.witnesses),
    deviceReceipts: addReceipts(sources.receipts),
  };
}

/**
 * Somebody still sending outweighs somebody who has finished; a Cancel outweighs both. What nobody answers for is
 * unknown, unless our own record or the clock says more.
 */
function mergedState(
  answered: readonly DispatchProgress[],
  sources: ProgressSources,
): AlertProgress['state'] {
  const states = new Set(answered.map(({ state }) => state));
  if (sources.cancelled || states.has('cancelled')) return 'cancelled';
  if (states.has('sending')) return sources.expired ? 'expired' : 'sending';
  for (const state of ['done', 'expired', 'journaled'] as const)
    if (states.has(state)) return state;
  if (sources.refused) return 'not-stored';
  return sources.expired ? 'expired' : 'unknown';
}

function nodeProgress({ node, site, answer }: NodeAnswer): NodeProgress {
  if (typeof answer === 'string')
    return { node, site, state: answer, lanes: [], receivedAt: null, transports: {} };
  const transports = Object.entries(answer.transports).map(([transport, part]) => [
    transport,
    {
      accepted: part.counts.accepted,
      gone: part.counts.gone,
      rejected: part.counts.rejected,
      pending: part.pending,
      shardsOwn: part.shardsOwn,
      shardsByPeers: part.shardsByPeers,
      shardsTotal: part.shardsTotal,
    },
  ]);
  return {
    node,
    site,
    state: answer.state,
    lanes: answer.lanes,
    receivedAt: answer.receivedAt,
    transports: Object.fromEntries(transports),
  };
}

/**
 * Nodes share an audience and overlap, so sends are never added up to people: `accepted` is the most that any node knows
 * to be reached by anybody. `gone` and `rejected` are each node's own and add up, but not past who is left.
 */
function mergeTransport(parts: readonly TransportProgress[]): MergedTransport {
  const most = (read: (part: TransportProgress) => number) => Math.max(0, ...parts.map(read));
  const sum = (read: (part: TransportProgress) => number) =>
    parts.reduce((all, part) => all + read(part), 0);
  const audience = most((part) => part.audience);
  const accepted = most((part) => part.acceptedKnown);
  const gone = Math.min(
    sum((part) => part.counts.gone),
    Math.max(0, audience - accepted),
  );
  const rejected = Math.min(
    sum((part) => part.counts.rejected),
    Math.max(0, audience - accepted - gone),
  );
  const firsts = parts.flatMap(({ firstAcceptedAt }) => firstAcceptedAt ?? []);
  const lasts = parts.flatMap(({ lastAcceptedAt }) => lastAcceptedAt ?? []);
  return {
    audience,
    accepted,
    gone,
    rejected,
    pending: most((part) => part.pending),
    firstAcceptedAt: firsts.sort(byInstant)[0] ?? null,
    lastAcceptedAt: lasts.sort(byInstant).at(-1) ?? null,
    timing: mergeTiming(parts),
  };
}

const byInstant = (a: string, b: string) => Date.parse(a) - Date.parse(b);

/**
 * Two canaries may have seen the same probe: its earliest receipt counts, once. Each canary has probes of its own, so
 * their numbers add up; a canary that does not answer adds none, and is missed on its own page.
 */
function mergeWitnesses(answers: readonly WitnessAnswer[]): Witnessed {
  const witnesses = answers.flatMap((answer) => answer.witnesses);
  const registered = answers.reduce((sum, { probes }) => sum + probes, 0);
  const first = new Map<string, ProbeWitness>();
  for (const witness of witnesses.sort((a, b) => byInstant(a.receivedAt, b.receivedAt)))
    if (!first.has(witness.probe)) first.set(witness.probe, witness);
  const known = [...first.values()].map(({ probe, transport, via, receivedAt }) => ({
    probe,
    transport,
    via,
    receivedAt,
  }));
  return { received: known.length, total: Math.max(registered, known.length), known };
}

/** "Received by n of m probes after t": t, in seconds from the signing; clocks that differ do not make it negative. */
export function witnessedAfterSeconds(issuedAt: string, { known }: Witnessed): number | null {
  const last = Math.max(...known.map(({ receivedAt }) => Date.parse(receivedAt)));
  return known.length === 0 ? null : Math.max(0, last - Date.parse(issuedAt)) / 1000;
}

/** A device answers to one edge, so the edges' counts add up. */
function addReceipts(counts: readonly DeviceReceiptCounts[]): DeviceReceiptCounts {
  const added: Partial<
    Record<TransportKind, Partial<Record<(typeof DEVICE_ACTIONS)[number], number>>>
  > = {};
  for (const transport of TRANSPORTS)
    for (const action of DEVICE_ACTIONS) {
      const found = counts.flatMap((each) => each[transport]?.[action] ?? []);
      if (found.length === 0) continue;
      added[transport] = {
        ...added[transport],
        [action]: found.reduce((sum, each) => sum + each, 0),
      };
    }
  return added;
}
