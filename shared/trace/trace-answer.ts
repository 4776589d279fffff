import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { NodeName, TransportKind } from '../envelope/envelope.ts';
import { DEVICE_ACTIONS } from '../receipt/device-receipt.ts';

export const TRACED_KINDS = ['ingest', 'dispatcher', 'edge', 'canary'] as const;
export type TracedKind = (typeof TRACED_KINDS)[number];

/** Everything that a service can say that it did with an alert, in the order in which it usually happens. */
const TRACE_EVENTS = [
  /** ingest: checked, signed and on its disk; the sends begin. */
  'written',
  /** ingest: a bus, dispatcher or edge has it on disk (`target`, `site`, `node`). */
  'lane-acknowledged',
  /** ingest: an attempt had no acknowledgement. */
  'lane-failed',
  /** ingest: a lane holds other content under this id. */
  'lane-conflict',
  /** ingest: answered 202 (`result` is the durability). */
  'accepted',
  /** ingest: answered 503, because no site acknowledged it. A 409 is told by `lane-conflict`. */
  'not-accepted',
  /** ingest: the same message again, the same answer. */
  'repeated',
  /** dispatcher, edge: came by this lane. */
  'arrived',
  /** dispatcher: stood open in the journal when the process began. */
  'taken-up-again',
  /** dispatcher: this peer (`node`) does not answer while the alert is sent. */
  'peer-unanswering',
  /** dispatcher: it answers again. */
  'peer-answering',
  /** dispatcher: its fan-out on one transport begins. */
  'started',
  /** dispatcher: when providers had accepted the first send, half, 95 %, 99 %, the last one. `node`: a peer's, by its receipts. */
  'first-accepted',
  'p50-accepted',
  'p95-accepted',
  'p99-accepted',
  'last-accepted',
  /** dispatcher: sends that are tried again. */
  'retried',
  /** dispatcher: shards whose pending devices were a silent or stuck peer's (`node`). */
  'taken-over',
  /** dispatcher: its fan-out ended (`state`). */
  'completed',
  /** dispatcher: another alert (a Cancel or Update) put an end to it. */
  'ended-by-other',
  /** edge: on the public page, and on disk. */
  'on-page',
  /** edge: somebody read its page. */
  'page-read',
  /** edge: devices' receipts. */
  'device-receipt',
  /** canary: a probe received, decrypted and verified it. */
  'witnessed',
] as const;
export const TraceEventName = z.enum(TRACE_EVENTS);
export type TraceEventName = z.infer<typeof TraceEventName>;

/** Every value is of a closed list, a node's name or a number: nothing of a device, nothing that a stranger can choose. */
export const TraceAttributes = z
  .strictObject({
    lane: z.enum(['bus', 'direct', 'peer', 'journal']),
    target: z.enum(['bus', 'dispatcher', 'edge']),
    site: NodeName,
    node: NodeName,
    transport: TransportKind,
    result: z.enum(['two-sites', 'one-site', 'stored', 'duplicate', 'conflict']),
    state: z.enum(['open', 'done', 'expired', 'cancelled', 'journaled']),
    action: z.enum(DEVICE_ACTIONS),
    /** Whether a device's receipt names this trace. */
    trace: z.enum(['same', 'other', 'none']),
    probe: z.string().max(60),
    /** How many it stands for, and when the last of them was. */
    count: z.int().nonnegative(),
    lastAt: z.iso.datetime(),
  })
  .partial();
export type TraceAttributes = z.infer<typeof TraceAttributes>;

export const TraceEvent = z.strictObject({
  /** By the clock of the node that says it. */
  at: z.iso.datetime(),
  name: TraceEventName,
  attributes: TraceAttributes,
});
export type TraceEvent = z.infer<typeof TraceEvent>;

export const MAX_TRACE_EVENTS = 300;

/** Answer of `GET /v1/alerts/{id}/trace` in every service: what one node did with one alert. */
export const TraceAnswer = z.strictObject({
  v: z.literal(1),
  node: NodeName,
  site: NodeName,
  kind: z.enum(TRACED_KINDS),
  alertId: AlertId,
  /** Absent where the node knows nothing of the alert and answers for another reason (a canary, for the clocks). */
  traceId: z.string().length(32).optional(),
  /** When ingest signed it, by ingest's clock. */
  issuedAt: z.iso.datetime({ offset: true }).optional(),
  /** Canary: how far the other nodes' clocks are ahead of its own, as last measured; good to half a second. */
  clockSkew: z
    .array(
      z.strictObject({
        kind: z.enum(['ingest', 'dispatcher', 'edge']),
        node: NodeName,
        skewSeconds: z.number(),
        ageSeconds: z.number().nonnegative(),
      }),
    )
    .max(100)
    .optional(),
  events: z.array(TraceEvent).max(MAX_TRACE_EVENTS),
});
export type TraceAnswer = z.infer<typeof TraceAnswer>;

/** An event as an answer carries it. */
export function traceEvent(
  atMs: number,
  name: TraceEventName,
  attributes: TraceAttributes = {},
): TraceEvent {
  return { at: new Date(atMs).toISOString(), name, attributes };
}
