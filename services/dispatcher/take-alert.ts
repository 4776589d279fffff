import type { Envelope } from '../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { SignatureError, type Verify } from '../../shared/envelope/signature.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { type ArrivalDecision, type ArrivingAlert, decideArrival } from './arrival.ts';
import type { Dispatch } from './dispatch.ts';
import type { DispatcherEvents } from './events.ts';
import { isOver, noteCancel } from './is-over.ts';
import type { Arrival, Journal } from './journal.ts';
import { outgoingMessages } from './outgoing-messages.ts';

/** The same id with other content is in the journal: the first stays, the second is not sent. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

interface Deps {
  readonly node: string;
  readonly journal: Journal;
  readonly dispatch: Pick<Dispatch, 'begin' | 'endWhatIsOver'>;
  readonly verifyEnvelope: Verify;
  readonly verifyAlert: Verify;
  readonly events: DispatcherEvents;
  readonly now: Clock;
}

/** `hop`: the `traceparent` of what brought it, if that had one. */
export type TakeAlert = (
  jws: string,
  arrival: Arrival,
  hop?: string,
) => Promise<'stored' | 'duplicate'>;

/**
 * Takes an alert by whichever way it comes: verify, write to the journal, and only then begin to send. The second copy
 * is counted and dropped by its id. Rejects with SignatureError (not what was signed) or ConflictError.
 */
export function createTakeAlert(deps: Deps): TakeAlert {
  const { node, journal, dispatch, events, now } = deps;

  return async (jws, arrival, hop) => {
    const envelope = await verified(jws, arrival, deps);
    const alert = arriving(envelope);
    // From here on nothing is awaited until the journal is written: two lanes at once make one entry.
    const known = journal.find(alert.id);
    const facts = { known, isEnded: isOver(envelope, journal), self: node, nowMs: now() };
    const decision = decideArrival(alert, arrival, facts);
    // After a start all of a peer's journal is read: what is known of old has its timeline behind it.
    if (arrival !== 'peer' || !known) events.alertBegun(envelope, hop);
    events.alertArrived(alert.id, arrival, decision.result, alert.audience);
    if (decision.result === 'conflict')
      throw new ConflictError(`alert ${alert.id} is known with other content`);
    writeDown(decision, { jws, alert, arrival }, journal, now());
    events.alertTaken(alert.id);
    if (decision.ends.length > 0) {
      noteCancel(envelope, journal, now());
      dispatch.endWhatIsOver();
    }
    const entry = decision.begin ? journal.find(alert.id) : undefined;
    if (entry) await dispatch.begin(entry, envelope);
    return decision.result;
  };
}

/** The envelope once it and every message for devices in it are what was signed. */
async function verified(jws: string, arrival: Arrival, deps: Deps): Promise<Envelope> {
  try {
    const envelope = await openEnvelope(jws, deps.verifyEnvelope);
    await outgoingMessages(envelope, deps.node, deps.verifyAlert);
    return envelope;
  } catch (error) {
    if (error instanceof SignatureError) deps.events.alertRefused(arrival, error.message);
    throw error;
  }
}

function arriving(envelope: Envelope): ArrivingAlert {
  const { id, audience, contentHash, references, path, alert } = envelope;
  const expiresAtMs = Date.parse(envelope.expiresAt);
  return { id, audience, contentHash, references, path, expiresAtMs, msgType: alert.msgType };
}

/** On disk when it returns. */
function writeDown(
  decision: ArrivalDecision,
  what: { jws: string; alert: ArrivingAlert; arrival: Arrival },
  journal: Journal,
  nowMs: number,
): void {
  const { id, contentHash, audience, expiresAtMs } = what.alert;
  for (const ended of decision.ends) journal.end(ended, id, nowMs);
  if (decision.store !== undefined) {
    const { jws, arrival } = what;
    const arrivals = [arrival];
    const state = decision.store;
    const receivedAtMs = nowMs;
    journal.insert({ id, jws, contentHash, audience, receivedAtMs, expiresAtMs, state, arrivals });
  } else if (decision.noteArrival) {
    const before = journal.find(id)?.arrivals ?? [];
    journal.noteArrival(id, [...before, what.arrival]);
  }
}
