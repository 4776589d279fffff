import { type DeviceSetup, type Received, receive } from '../../shared/device/receive.ts';
import { NodeName, type TransportKind } from '../../shared/envelope/envelope.ts';
import type { CanaryEvents } from './events.ts';
import type { Probe } from './probes/probe.ts';
import type { RoundBook } from './round-book.ts';
import type { WitnessLog } from './witness-log.ts';

export interface TakeDeps {
  /** Each probe is a device of its own, with its own memory. */
  readonly deviceOf: (probe: Probe) => DeviceSetup;
  readonly book: RoundBook;
  readonly witnesses: WitnessLog;
  readonly events: CanaryEvents;
  readonly wallNow: () => number;
  /** Something verified has arrived on this transport, whatever it was. */
  readonly heard: (transport: TransportKind) => void;
  /** True when a verified message is a drill's: it is counted there, and is nobody's round. */
  readonly drill?: (probe: Probe, received: Received) => boolean;
  /** A canary's message that was verified: the payload as it came, and when (ms) its life ends. */
  readonly keep?: (payload: unknown, expiresMs: number) => void;
}

/**
 * One decrypted push on one probe: run the device's own rules, then count it. A test closes its round; a real alert is
 * witnessed; whatever the rules refuse proves nothing and is counted by its reason.
 */
export async function takePayload(probe: Probe, payload: unknown, deps: TakeDeps): Promise<void> {
  const received = await receive(payload, deps.deviceOf(probe));
  const { decision, message } = received;
  if (decision.action === 'refused') {
    deps.events.refused(probe.name, decision.reason);
    return;
  }
  if (!message) return;
  deps.heard(probe.transport);
  if (message.audience === 'public') {
    witness(probe, received, deps);
    return;
  }
  if (deps.drill?.(probe, received)) return;
  deps.keep?.(payload, Date.parse(message.expires));
  const receipt = { nonce: message.nonce, via: received.via, transport: probe.transport };
  const counted = deps.book.receive(receipt);
  // A second copy of a round that is closed is no surprise: dispatchers prefer a repeat to a miss.
  if (counted !== 'counted' && decision.action !== 'ignored')
    deps.events.refused(probe.name, counted);
}

function witness(probe: Probe, { message, via }: Received, deps: TakeDeps): void {
  const node = NodeName.safeParse(via);
  if (!message || !node.success) return;
  const entry = {
    alertId: message.id,
    probe: probe.name,
    transport: probe.transport,
    via: node.data,
    receivedAt: new Date(deps.wallNow()).toISOString(),
  };
  if (deps.witnesses.add(message, entry)) deps.events.witnessed(entry);
}
