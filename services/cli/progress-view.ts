import type { AlertStatus, TransportStatus } from './ingest-answers.ts';
import type { Texts } from './texts-fr.ts';

/** Nothing more will be sent in these states. */
const ENDED = ['done', 'expired', 'cancelled', 'journaled', 'not-stored'];

export function hasEnded(status: AlertStatus): boolean {
  return ENDED.includes(status.state);
}

/** How far an alert is, as lines: state, transports, nodes, probes, devices. Pure. */
export function progressLines(status: AlertStatus, texts: Texts): string[] {
  const startMs = startOf(status);
  return [
    texts.title(status.id, status.state),
    ...Object.entries(status.transports).flatMap(([kind, transport]) =>
      transportLines(kind, transport, startMs, texts),
    ),
    ...status.nodes.map((node) => texts.node(node.node, node.state, nodeCounts(node, texts))),
    ...probeLines(status, startMs, texts),
    ...Object.entries(status.deviceReceipts)
      .filter(([, actions]) => Object.keys(actions).length > 0)
      .map(([kind, actions]) => texts.receipts(kind, actions)),
  ];
}

/**
 * The instant that times are counted from: when ingest signed it. CAP's `sent` has whole seconds only and may be a
 * minute old when the person confirms; it stands in when an ingest does not say.
 */
function startOf({ issuedAt, alert }: AlertStatus): number {
  return Date.parse(issuedAt ?? alert?.sent ?? '');
}

/** An ingest of an older version says the first and the last only. */
function transportLines(
  kind: string,
  transport: TransportStatus,
  startMs: number,
  texts: Texts,
): string[] {
  const line = texts.transport(kind, transport);
  const { timing } = transport;
  return timing ? [line, texts.transportTiming(timing)] : [line + times(transport, startMs, texts)];
}

function times(
  { firstAcceptedAt, lastAcceptedAt }: TransportStatus,
  startMs: number,
  texts: Texts,
): string {
  const first = secondsAfter(startMs, firstAcceptedAt);
  const last = secondsAfter(startMs, lastAcceptedAt);
  return first === undefined || last === undefined ? '' : texts.transportTimes(first, last);
}

function nodeCounts({ transports }: AlertStatus['nodes'][number], texts: Texts): string {
  return texts.nodeCounts(
    Object.entries(transports).map(([kind, { accepted }]) => [kind, accepted]),
  );
}

function probeLines({ probes }: AlertStatus, startMs: number, texts: Texts): string[] {
  if (probes === undefined) return [];
  const last = probes.known
    .map(({ receivedAt }) => receivedAt)
    .sort((a, b) => Date.parse(a) - Date.parse(b))
    .at(-1);
  return [texts.probes(probes.received, probes.total, secondsAfter(startMs, last))];
}

function secondsAfter(startMs: number, at: string | null | undefined): number | undefined {
  const ms = Date.parse(at ?? '') - startMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms / 1000);
}
