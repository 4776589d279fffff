import type { TransportKind } from '../../../shared/envelope/envelope.ts';

/**
 * What became of one message to one device.
 *
 * - `accepted`: the provider took it (not more than that: only a receiver can say `received`).
 * - `gone`: the provider says that this address is dead for good (404, 410, UNREGISTERED and nothing else: promise P9).
 * - `rejected`: this message can't be sent to this device, and never will be; not tried again.
 * - `throttled`: slow down, for this device or for the whole project, for at least `retryAfterMs`.
 * - `unavailable`: nothing is known about the device: provider down, time-out, our credentials refused, connection
 *   died. To be tried again, here or from another node, after at least `retryAfterMs` (the caller adds the jitter).
 *
 * `reason` is one of a small closed set of words and may be a metric label; it never holds a token, endpoint or key.
 */
export type Outcome =
  | { kind: 'accepted' }
  | { kind: 'gone' }
  | { kind: 'rejected'; reason: string }
  | { kind: 'throttled'; scope: 'device' | 'project'; retryAfterMs: number }
  | { kind: 'unavailable'; reason: string; retryAfterMs: number };

/** One alert in one language, as a transport needs it; the same object may be sent to many addresses. */
export interface OutgoingMessage {
  alertId: string;
  /** The signed device message in this language (compact JWS). */
  signedMessage: string;
  /** Name of the node that sends: a hint for statistics, never trusted. */
  via: string;
  /** Short texts for systems that show a notification before our code runs (iOS). */
  title: string;
  body: string;
  msgType: 'Alert' | 'Update' | 'Cancel';
  /** At most 64 characters; a message with the same tag replaces the one before it on the screen. */
  tag: string;
  /** Milliseconds since 1970; nothing is sent after it. */
  expiresAtMs: number;
  /** Shown without sound, delivered without hurry. */
  quiet: boolean;
  /** A canary's: it goes where others are held back, so that a provider that is back is seen to be back. */
  isTest?: boolean;
}

/** One way to reach devices. `Address` is the transport's own part of a subscription. */
export interface Transport<Address> {
  kind: TransportKind;
  /**
   * Sends one message to one device. `settle` is called once and only once, within {@link SEND_DEADLINE_MS} whatever the
   * peer does and possibly before `send` returns; it must not throw. An aborted send settles at once as `unavailable`
   * with reason `aborted` (the provider may have taken the message all the same). One signal serves many sends.
   */
  send(
    address: Address,
    message: OutgoingMessage,
    signal: AbortSignal,
    settle: (outcome: Outcome) => void,
  ): void;
  /** The most sends that may be in flight; more are answered `unavailable` with reason `overloaded`. */
  maxInFlight: number;
  /** Opens connections and gets tokens ahead of the first alert. Never rejects: what can't be warmed is tried again later. */
  warmUp(): Promise<void>;
  /** Keeps connections open to where these addresses are, ahead of need; asked again now and then. */
  keepWarm?(addresses: readonly Address[]): void;
  /** Ends connections and timers; sends that are in flight settle as `unavailable`. */
  close(): Promise<void>;
}

/** However a peer behaves, a send is answered after this time. */
export const SEND_DEADLINE_MS = 10_000;
