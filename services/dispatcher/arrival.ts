import type { Audience } from '../../shared/alert/audience.ts';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { Arrival, JournalState } from './journal.ts';

/** What of a verified envelope decides how it is taken. */
export interface ArrivingAlert {
  readonly id: string;
  readonly audience: Audience;
  readonly msgType: string;
  readonly contentHash: string;
  readonly expiresAtMs: number;
  /** Ids of the alerts that an Update or Cancel is about. */
  readonly references: readonly string[];
  readonly path?: CanaryPath | undefined;
}

/** What the journal holds about it already. */
export interface KnownAlert {
  readonly contentHash: string;
  readonly state: JournalState;
  readonly arrivals: readonly Arrival[];
}

/** What becomes of it. Everything in it is written to the journal, synced, before anything is sent. */
export interface ArrivalDecision {
  readonly result: 'stored' | 'duplicate' | 'conflict';
  /** The state to store it in; absent when it is known. */
  readonly store?: JournalState;
  /** Note that it came this way too. */
  readonly noteArrival: boolean;
  /** Alerts that end because of it: also those that have not come yet. */
  readonly ends: readonly string[];
  /** Begin to send. */
  readonly begin: boolean;
}

/**
 * How a node takes a verified alert, pure. The second copy is dropped by its id, other content under the same id never
 * replaces the first, a late alert is kept for the record and never sent, a Cancel also works before its Alert (P3), and
 * a canary is acted on by the one node and the one lane that it proves.
 */
export function decideArrival(
  alert: ArrivingAlert,
  arrival: Arrival,
  facts: { known: KnownAlert | undefined; isEnded: boolean; self: string; nowMs: number },
): ArrivalDecision {
  const { known } = facts;
  if (known && known.contentHash !== alert.contentHash)
    return { result: 'conflict', noteArrival: false, ends: [], begin: false };
  const state = known?.state ?? stateOnArrival(alert, facts);
  const isFirstUse = alert.path ? arrival === alert.path.lane : !known;
  const isNewWay = known !== undefined && !known.arrivals.includes(arrival);
  return {
    result: known ? 'duplicate' : 'stored',
    ...(known ? {} : { store: state }),
    noteArrival: isNewWay,
    ends: known ? [] : endedBy(alert),
    begin: state === 'open' && isFirstUse && (!alert.path || known === undefined || isNewWay),
  };
}

/** What a Cancel or Update puts an end to. A test ends nothing: the canary's key must not silence an alert (P6). */
function endedBy({ audience, msgType, references }: ArrivingAlert): readonly string[] {
  const ends = msgType === 'Cancel' || msgType === 'Update';
  return ends && audience === 'public' ? references : [];
}

function stateOnArrival(
  alert: ArrivingAlert,
  { isEnded, self, nowMs }: { isEnded: boolean; self: string; nowMs: number },
): JournalState {
  if (isEnded) return 'cancelled';
  if (alert.expiresAtMs <= nowMs) return 'journaled';
  return alert.path === undefined || alert.path.dispatcher === self ? 'open' : 'journaled';
}
