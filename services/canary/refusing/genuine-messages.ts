import type { Clock } from '../../../shared/time/clock.ts';

interface GenuineMessage {
  /** The signed device message, as it came. */
  readonly jws: string;
  readonly expiresMs: number;
}

/** Messages of the canary's own rounds that a probe has verified: what the trials are made of. */
export interface GenuineMessages {
  readonly add: (message: GenuineMessage) => void;
  /** The newest, if it has still some life. */
  readonly fresh: () => string | undefined;
  /** One whose life is over. */
  readonly expired: () => string | undefined;
}

/** A trial takes seconds: what ends sooner would be refused for its age, whatever is under trial. */
const FRESH_FOR_MS = 20_000;

/** Remembers three messages, however many come. */
export function createGenuineMessages(wallNow: Clock): GenuineMessages {
  let newest: GenuineMessage | undefined;
  /** On its way to be the next expired one. */
  let ageing: GenuineMessage | undefined;
  let expired: GenuineMessage | undefined;
  const isOver = (message: GenuineMessage) => message.expiresMs <= wallNow();
  return {
    add: (message) => {
      if (isOver(message)) return;
      newest = message;
      if (ageing && isOver(ageing)) {
        expired = ageing;
        ageing = undefined;
      }
      ageing ??= message;
    },
    fresh: () => (newest && newest.expiresMs - wallNow() >= FRESH_FOR_MS ? newest.jws : undefined),
    expired: () => (ageing && isOver(ageing) ? ageing.jws : expired?.jws),
  };
}
