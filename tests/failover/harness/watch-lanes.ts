import type { Piece } from '../../support/tcp-fault-proxy.ts';
import type { LinkName } from './links.ts';

/** A target's acknowledgement of one alert, seen on the wire on its way to ingest. */
export interface LaneAck {
  readonly lane: 'bus' | 'direct';
  readonly site: string;
}

/** No more than this is remembered of what passed on a connection. */
const KEPT_CHARS = 256 * 1024;

/**
 * Reads along on the links between an ingest and its targets, and tells when one has acknowledged this alert: a bus by
 * JetStream's answer in the inbox that the alert was published with, a dispatcher by its answer to the intake that
 * carried the alert. The answer itself is passed on right after `onAck` has been called.
 */
export function watchLanes(
  alertId: string,
  onAck: (ack: LaneAck) => void,
): (link: LinkName, piece: Piece) => void {
  const connections = new Map<object, { sent: string; waitsFor: string | undefined }>();
  return (link, { connection, to, data }) => {
    const isBus = link.kind === 'nats';
    if (!isBus && link.kind !== 'dispatcher') return;
    const state = connections.get(connection) ?? { sent: '', waitsFor: undefined };
    connections.set(connection, state);
    const text = data.toString('latin1');
    if (to === 'server') {
      state.sent = (state.sent + text).slice(-KEPT_CHARS);
      state.waitsFor ??= isBus ? inboxOf(state.sent, alertId) : intakeOf(state.sent, alertId);
    } else if (state.waitsFor !== undefined && text.includes(state.waitsFor)) {
      state.waitsFor = undefined;
      state.sent = '';
      onAck({ lane: isBus ? 'bus' : 'direct', site: link.to });
    }
  };
}

/** `HPUB alert.public.<sender>.<id> <inbox> …`: JetStream answers there. */
function inboxOf(sent: string, alertId: string): string | undefined {
  return new RegExp(`PUB alert\\.\\S+\\.${alertId} (\\S+) `).exec(sent)?.[1];
}

/** What a dispatcher answers with, once the intake with this alert has passed. */
function intakeOf(sent: string, alertId: string): string | undefined {
  const body = /\.([A-Za-z0-9_-]{100,})\./.exec(sent.slice(sent.lastIndexOf('POST /v1/intake')));
  const payload = Buffer.from(body?.[1] ?? '', 'base64url').toString('utf8');
  return payload.includes(alertId) ? '"result":"' : undefined;
}
