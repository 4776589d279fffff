import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { Subscription } from '../../../shared/subscription/subscription.ts';

/**
 * A receiver of our own: it gets pushes exactly as a person's device does. `start` is the factory's work; a probe is
 * alive from then on until `close`.
 */
export interface Probe {
  readonly name: string;
  readonly transport: TransportKind;
  readonly deviceId: string;
  /** What edge is told; undefined until the provider has given it an address. */
  readonly subscription: () => Subscription | undefined;
  readonly connected: () => boolean;
  /** The address seems to be lost at the provider: get a new one. */
  readonly renew: () => void;
  readonly close: () => Promise<void>;
}

/** What a probe tells the canary. */
export interface ProbeEvents {
  /** One push, decrypted, as `shared/device` takes it. */
  readonly onPayload: (probe: Probe, payload: unknown) => Promise<void>;
  /** One push that could not even be decrypted. */
  readonly onUndecryptable: (probe: Probe) => void;
  /** The subscription is new or has changed: edge has to hear of it. */
  readonly onSubscription: (probe: Probe) => void;
}
