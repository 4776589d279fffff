import { z } from 'zod';
import type { Audience } from '../../../shared/alert/audience.ts';
import type { Peer } from '../../../shared/bus/bus-config.ts';
import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { alertMessageId, alertSubject } from '../../../shared/bus/subjects.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { IntakeAnswer } from '../../../shared/receipt/progress.ts';

/** A signed envelope on its way, with what addresses it. */
export interface LaneMessage {
  readonly id: string;
  readonly contentHash: string;
  readonly audience: Audience;
  readonly sender: string;
  readonly jws: string;
  /** The span of this send, for the header of what carries it. */
  readonly traceparent?: string | undefined;
}

/**
 * What became of one attempt. `failed` says only that there was no acknowledgement: the message may be there all the
 * same, so it is repeated with the same id. `conflict`: the other side holds another content under this id.
 */
export type LaneResult =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'failed'; readonly reason: string };

type TargetKind = 'bus' | 'dispatcher' | 'edge';

/** One place that an alert is sent to: a site's bus, a dispatcher or an edge. */
export interface LaneTarget {
  /** Stable over restarts: the outbox remembers acknowledgements under it. */
  readonly key: string;
  readonly kind: TargetKind;
  readonly site: string;
  readonly name: string;
  /** Edges get every alert for their pages; what they say does not count for the 202. */
  readonly counts: boolean;
  /** Never rejects; ends within the time-out or soon after the signal. */
  readonly send: (
    message: LaneMessage,
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<LaneResult>;
}

/** Canaries prove something for seconds; the bus keeps them for an hour, for whoever looks into a failed round. */
const CANARY_TTL_SECONDS = 3600;

/** The bus lane to one site. */
export function busTarget(bus: Pick<SiteBus, 'site' | 'publish'>): LaneTarget {
  return {
    key: `bus:${bus.site}`,
    kind: 'bus',
    site: bus.site,
    name: bus.site,
    counts: true,
    send: (message, timeoutMs, signal) =>
      settled(async () => {
        await orAborted(
          bus.publish(alertSubject(message), message.jws, {
            timeoutMs,
            msgId: alertMessageId(message),
            traceparent: message.traceparent,
            ...(message.audience === 'canary' ? { ttlSeconds: CANARY_TTL_SECONDS } : {}),
          }),
          signal,
        );
      }),
  };
}

/** The direct lane to one dispatcher. It counts for the site that it says it is in, which has to be the configured one. */
export function dispatcherTarget(peer: Peer, internalToken: string): LaneTarget {
  return {
    key: `direct:${peer.site}/${peer.name}`,
    kind: 'dispatcher',
    site: peer.site,
    name: peer.name,
    counts: true,
    send: (message, timeoutMs, signal) =>
      settled(async () => {
        const answer = await intake(peer, IntakeAnswer, {
          message,
          internalToken,
          timeoutMs,
          signal,
        });
        if (answer.site !== peer.site)
          throw new Error(
            `dispatcher ${peer.name} says it is in site ${answer.site}, settings say ${peer.site}`,
          );
      }),
  };
}

/** An edge, which writes the public page. */
export function edgeTarget(peer: Peer, internalToken: string): LaneTarget {
  return {
    key: `edge:${peer.site}/${peer.name}`,
    kind: 'edge',
    site: peer.site,
    name: peer.name,
    counts: false,
    send: (message, timeoutMs, signal) =>
      settled(async () => {
        await intake(peer, z.unknown(), { message, internalToken, timeoutMs, signal });
      }),
  };
}

function intake<Schema extends z.ZodType>(
  peer: Peer,
  schema: Schema,
  what: { message: LaneMessage; internalToken: string; timeoutMs: number; signal: AbortSignal },
): Promise<z.infer<Schema>> {
  return fetchJson(new URL('/v1/intake', peer.url).href, {
    schema,
    timeoutMs: what.timeoutMs,
    token: what.internalToken,
    text: what.message.jws,
    ...(what.message.traceparent === undefined
      ? {}
      : { headers: { traceparent: what.message.traceparent } }),
    signal: what.signal,
  });
}

async function settled(attempt: () => Promise<void>): Promise<LaneResult> {
  try {
    await attempt();
    return { kind: 'acknowledged' };
  } catch (error) {
    if (error instanceof FetchError && error.status === 409) return { kind: 'conflict' };
    return { kind: 'failed', reason: errorFields(error).error };
  }
}

/** Gives up waiting (not the work) when the signal aborts. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(new Error('not acknowledged in time'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}
