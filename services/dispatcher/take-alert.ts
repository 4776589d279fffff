import type { Envelope } from '../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { SignatureError, type Verify } from '../../shared/envelope/signature.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { Dispatch } from './dispatch.ts';
import type { DispatcherEvents } from './events.ts';
import type { Arrival, Journal, JournalEntry, JournalState } from './journal.ts';
import { outgoingMessages } from './outgoing-messages.ts';

/** The same id with other content is in the journal: the first stays, the second is not sent. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

interface Deps {
  readonly node: string;
  readonly journal: Journal;
  readonly dispatch: Pick<Dispatch, 'begin' | 'end'>;
  readonly verifyEnvelope: Verify;
  readonly verifyAlert: Verify;
  readonly events: DispatcherEvents;
  readonly now: Clock;
}

export type TakeAlert = (jws: string, arrival: Arrival) => Promise<'stored' | 'duplicate'>;

/**
 * Takes an alert by whichever way it comes: verify, write to the journal, and only then begin to send. The second copy
 * is counted and dropped by its id. Rejects with SignatureError (not what was signed) or ConflictError.
 */
export function createTakeAlert(deps: Deps): TakeAlert {
  const { journal, dispatch, events, now } = deps;

  /** From here on nothing is awaited until the journal is written: two lanes at once make one entry. */
  const store = (jws: string, envelope: Envelope, arrival: Arrival): JournalEntry => {
    const state = stateOnArrival(envelope, journal, { node: deps.node, nowMs: now() });
    for (const id of endedBy(envelope)) journal.end(id, envelope.id, now());
    journal.insert({
      id: envelope.id,
      jws,
      contentHash: envelope.contentHash,
      audience: envelope.audience,
      receivedAtMs: now(),
      expiresAtMs: Date.parse(envelope.expiresAt),
      state,
      arrivals: [arrival],
    });
    const stored = journal.find(envelope.id);
    if (!stored) throw new Error('the journal lost what it has just written');
    return stored;
  };

  return async (jws, arrival) => {
    let envelope: Envelope;
    try {
      envelope = await openEnvelope(jws, deps.verifyEnvelope);
      await outgoingMessages(envelope, deps.node, deps.verifyAlert);
    } catch (error) {
      if (error instanceof SignatureError) events.alertRefused(arrival, error.message);
      throw error;
    }
    const known = journal.find(envelope.id);
    if (known && known.contentHash !== envelope.contentHash) {
      events.alertArrived(envelope.id, arrival, 'conflict', envelope.audience);
      throw new ConflictError(`alert ${envelope.id} is known with other content`);
    }
    const entry = known ?? store(jws, envelope, arrival);
    if (known && !known.arrivals.includes(arrival))
      journal.noteArrival(known.id, [...known.arrivals, arrival]);
    events.alertArrived(envelope.id, arrival, known ? 'duplicate' : 'stored', envelope.audience);
    if (!known) for (const id of endedBy(envelope)) dispatch.end(id);
    // A canary proves one lane: the copy that came by the other one is not acted on.
    const isFirstUse = envelope.path ? arrival === envelope.path.lane : !known;
    if (entry.state === 'open' && isFirstUse) await dispatch.begin(entry, envelope);
    return known ? 'duplicate' : 'stored';
  };
}

/** What a Cancel or Update puts an end to. A test ends nothing: the canary's key must not silence an alert (P6). */
function endedBy({ audience, alert, references }: Envelope): readonly string[] {
  const ends = alert.msgType === 'Cancel' || alert.msgType === 'Update';
  return ends && audience === 'public' ? references : [];
}

/** A late alert is kept for the record and never sent; one that was cancelled before it came neither (P3). */
function stateOnArrival(
  envelope: Envelope,
  journal: Journal,
  { node, nowMs }: { node: string; nowMs: number },
): JournalState {
  if (journal.isEnded(envelope.id)) return 'cancelled';
  if (Date.parse(envelope.expiresAt) <= nowMs) return 'journaled';
  const isOurs = envelope.path === undefined || envelope.path.dispatcher === node;
  return isOurs ? 'open' : 'journaled';
}
