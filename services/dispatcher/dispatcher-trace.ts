import type { TransportKind } from '../../shared/envelope/envelope.ts';
import {
  type AcceptTiming,
  timingCount,
  timingPercentile,
} from '../../shared/receipt/accept-timing.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { AlertTraces } from '../../shared/trace/alert-traces.ts';
import {
  type TraceAnswer,
  type TraceAttributes,
  type TraceEvent,
  type TraceEventName,
  traceEvent,
} from '../../shared/trace/trace-answer.ts';
import { issuedAtOfJws, traceOfJws } from '../../shared/trace/trace-context.ts';
import type { Dispatch } from './dispatch.ts';
import type { Journal, JournalEntry } from './journal.ts';

interface Deps {
  readonly node: string;
  readonly site: string;
  readonly journal: Pick<Journal, 'find' | 'receiptsOf' | 'endedAtMs'>;
  readonly dispatch: Pick<Dispatch, 'progress'>;
  readonly traces: AlertTraces;
}

/** Parts of the acceptances whose time is told. Of fewer than this many they say nothing that first and last do not. */
const PARTS = [
  ['p50-accepted', 0.5],
  ['p95-accepted', 0.95],
  ['p99-accepted', 0.99],
] as const;
const ENOUGH_FOR_PARTS = 20;

/**
 * What this node did with an alert: noted since the process began, times of acceptance from the timings that receipts
 * carry, and, for what an earlier process did, what the journal holds. Undefined for an alert that is not in it.
 */
export function dispatcherTrace(alertId: string, deps: Deps): TraceAnswer | undefined {
  const entry = deps.journal.find(alertId);
  if (!entry) return undefined;
  const noted = deps.traces.events(alertId);
  const isOfThisLife = noted.some(
    ({ name, attributes }) => name === 'arrived' && attributes.result === 'stored',
  );
  const issuedAt = issuedAtOfJws(entry.jws);
  const endedAtMs = deps.journal.endedAtMs(alertId);
  const events = [
    ...noted,
    ...(isOfThisLife ? [] : journalEvents(entry, deps)),
    ...(issuedAt === undefined ? [] : acceptances(alertId, Date.parse(issuedAt), deps)),
    ...(endedAtMs === undefined ? [] : [traceEvent(endedAtMs, 'ended-by-other')]),
  ];
  return {
    v: 1,
    node: deps.node,
    site: deps.site,
    kind: 'dispatcher',
    alertId,
    traceId: traceOfJws(entry.jws)?.traceId ?? alertId,
    ...(issuedAt === undefined ? {} : { issuedAt }),
    events: events.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)),
  };
}

/** What is left of an earlier process: when it first had the alert, what it took over, and its last word. */
function journalEvents(entry: JournalEntry, { node, journal }: Deps): TraceEvent[] {
  const [lane] = entry.arrivals;
  const own = journal.receiptsOf(entry.id).filter((receipt) => receipt.node === node);
  const last = own.map(({ at }) => Date.parse(at)).sort((a, b) => b - a)[0];
  return [
    traceEvent(entry.receivedAtMs, 'arrived', {
      ...(lane === undefined ? {} : { lane }),
      result: 'stored',
    }),
    ...takeOvers(own),
    ...(last === undefined || entry.state === 'open'
      ? []
      : [traceEvent(last, 'completed', { state: entry.state })]),
  ];
}

/** One for each peer and transport, as they are noted while they happen: there may be hundreds of shards. */
function takeOvers(own: readonly CompletionReceipt[]): TraceEvent[] {
  const byPeer = Map.groupBy(
    own,
    ({ transport, takenOverFrom }) => `${transport} ${takenOverFrom}`,
  );
  return [...byPeer.values()].flatMap((all) => {
    const [first] = all;
    if (first?.takenOverFrom === undefined) return [];
    const atMs = Math.min(...all.map(({ at }) => Date.parse(at)));
    const { transport, takenOverFrom: node } = first;
    const count = all.length === 1 ? {} : { count: all.length };
    return [traceEvent(atMs, 'taken-over', { transport, node, ...count })];
  });
}

/** This node's own sends, and those of peers as far as their receipts came here: a dead node is still in the timeline. */
function acceptances(alertId: string, issuedAtMs: number, deps: Deps): TraceEvent[] {
  const transports = Object.entries(deps.dispatch.progress(alertId)?.transports ?? {});
  return transports.flatMap(([kind, progress]) =>
    Object.entries(progress.timings ?? {}).flatMap(([node, timing]) => {
      const transport = kind as TransportKind;
      const attributes = node === deps.node ? { transport } : { transport, node };
      return timingEvents(timing, issuedAtMs, attributes);
    }),
  );
}

function timingEvents(
  timing: AcceptTiming,
  issuedAtMs: number,
  attributes: TraceAttributes,
): TraceEvent[] {
  const count = timingCount(timing);
  const at = (ms: number, name: TraceEventName, more: TraceAttributes = {}) =>
    traceEvent(issuedAtMs + Math.round(ms), name, { ...attributes, ...more });
  return [
    at(timing.firstMs, 'first-accepted'),
    ...(count < ENOUGH_FOR_PARTS
      ? []
      : PARTS.map(([name, part]) => at(timingPercentile(timing, part), name))),
    at(timing.lastMs, 'last-accepted', { count }),
  ];
}
