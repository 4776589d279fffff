import { type BackoffOptions, backoffMs } from '../../../shared/time/backoff.ts';

/** A session that lived this long was a good one: the next reconnect is quick again. */
const GOOD_LIFE_MS = 5_000;
/**
 * So was one that answered so many requests: many servers end a session after a number of requests, in a good hour every
 * second. It is replaced without a pause: it earned the handshake of the next one.
 */
const GOOD_LIFE_ANSWERS = 100;

/** What is known of a session that is to be replaced. */
export interface EndingSession {
  /** Since it was begun, its connecting with it. */
  readonly livedMs: number;
  /** Requests that it brought an answer for. */
  readonly answered: number;
  /** It ends with its last answer, and for no error. */
  readonly endsInPeace: boolean;
}

/**
 * When the next session is opened in the place of one that ends, and which attempt that is: with growing pauses while
 * they do not live. `isDown`: there has been no session for a while, so that a long life was only a long connecting.
 * `random` is in [0, 1).
 */
export function planReconnect(
  attempt: number,
  session: EndingSession,
  isDown: boolean,
  pauses: BackoffOptions,
  random: number,
): { attempt: number; delayMs: number } {
  const worked = session.answered >= GOOD_LIFE_ANSWERS;
  const lived = worked || (session.livedMs >= GOOD_LIFE_MS && !isDown);
  const next = lived ? 1 : attempt + 1;
  const delayMs = worked && session.endsInPeace ? 0 : backoffMs(next, pauses, random);
  return { attempt: next, delayMs };
}
