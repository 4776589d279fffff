import { type DeviceSetup, type Received, receive } from '../../shared/device/receive.ts';
import { PushPayload } from '../../shared/envelope/push-payload.ts';
import type { CanaryEvents } from './events.ts';
import type { Probe } from './probes/probe.ts';
import type { OwnReceipts } from './receipts/own-receipts.ts';

export interface TakeDeps {
  /** Each probe is a device of its own, with its own memory. */
  readonly deviceOf: (probe: Probe) => DeviceSetup;
  readonly receipts: Pick<OwnReceipts, 'handIn'>;
  readonly events: CanaryEvents;
  readonly wallNow: () => number;
  /** Something verified has arrived at this probe, whatever it was. */
  readonly heard: (probe: Probe) => void;
  /** True when a verified message is a drill's: it is counted there, and is nobody's round. */
  readonly drill?: (probe: Probe, received: Received) => boolean;
  /** A canary's message that was verified: signed as it came, and when (ms) its life ends. */
  readonly keep?: ((jws: string, expiresMs: number) => void) | undefined;
}

/**
 * One decrypted push on one probe: run the device's own rules, then sign a receipt and hand it in. A test closes its
 * round; a real alert is witnessed; whatever the rules refuse proves nothing and is counted by its reason.
 */
export async function takePayload(probe: Probe, payload: unknown, deps: TakeDeps): Promise<void> {
  const received = await receive(payload, deps.deviceOf(probe));
  const { decision, message, via } = received;
  if (decision.action === 'refused') {
    deps.events.refused(probe.name, decision.reason);
    return;
  }
  if (!message || via === undefined) return;
  deps.heard(probe);
  const isPublic = message.audience === 'public';
  if (!isPublic && deps.drill?.(probe, received)) return;
  const { alert } = PushPayload.parse(payload);
  if (!isPublic) deps.keep?.(alert, Date.parse(message.expires));
  const handed = await deps.receipts.handIn(probe.name, {
    transport: probe.transport,
    via,
    messageId: message.id,
    receivedAt: new Date(deps.wallNow()).toISOString(),
    ...(isPublic ? { alert } : {}),
    ...(isPublic || message.nonce === undefined ? {} : { nonce: message.nonce }),
  });
  // A second copy of a round that is closed is no surprise: dispatchers prefer a repeat to a miss.
  if (handed.kind === 'refused' && decision.action !== 'ignored')
    deps.events.refused(probe.name, handed.reason);
}
