import type { Outcome } from '../transports/transport.ts';

/** A canary's test send: it goes where others are held, so that a provider that is back is seen to be back. */
export type PacedSend = 'message' | 'test';

/**
 * What a transport asks before a send and tells after it. All instants are milliseconds since 1970; nothing here waits,
 * so that whoever asks may do something else meanwhile. Each call costs the same however much has been sent.
 */
export interface Pace {
  /** May a send begin now? Does not count it. */
  mayStart(nowMs: number, send: PacedSend): boolean;
  /** After a no: when it is worth asking again; always later than `nowMs`. An end of a send may bring it forward. */
  askAgainAtMs(nowMs: number): number;
  /** A send begins. */
  started(nowMs: number): void;
  /** It has ended; called once for each `started`. Without an outcome nothing was sent after all. */
  ended(outcome: Outcome | undefined, latencyMs: number, nowMs: number): void;
}
