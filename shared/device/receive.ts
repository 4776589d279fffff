import type { Audience } from '../alert/audience.ts';
import { DeviceMessage } from '../envelope/device-message.ts';
import { PushPayload } from '../envelope/push-payload.ts';
import type { Verify } from '../envelope/signature.ts';
import { fromShortTraceId } from '../trace/trace-context.ts';
import { type Decision, decide } from './decide.ts';
import type { DeviceMemory } from './memory.ts';

/** Where a device keeps what it remembers. `update` runs alone: two pushes at once must not both think they are first. */
export interface MemoryStore {
  update<Result>(
    change: (memory: DeviceMemory) => { memory: DeviceMemory; result: Result },
  ): Promise<Result>;
}

export interface DeviceSetup {
  readonly verify: Verify;
  /** `public` for people's devices; probes add `canary`. */
  readonly accepts: readonly Audience[];
  readonly store: MemoryStore;
  readonly now: () => number;
}

export interface Received {
  readonly decision: Decision;
  /** Absent when it was not signed by a trusted key or is malformed: then nothing in it may be used. */
  readonly message?: DeviceMessage;
  /** The node that says it sent this. A hint, not proven. */
  readonly via?: string;
  /** The trace that the alert belongs to: the one that was signed with it, or the alert's own id. */
  readonly traceId?: string;
}

/**
 * One push as a device takes it, after decryption: parse, verify, decide, remember. The browser's service worker, the
 * simulated devices and the canary's probes all run this.
 */
export async function receive(payload: unknown, device: DeviceSetup): Promise<Received> {
  const pushed = PushPayload.safeParse(payload);
  if (!pushed.success) return { decision: { action: 'refused', reason: 'malformed' } };
  const { alert, via } = pushed.data;
  let verified: Awaited<ReturnType<Verify>>;
  try {
    verified = await device.verify(alert);
  } catch {
    return { decision: { action: 'refused', reason: 'unsigned' }, via };
  }
  const parsed = DeviceMessage.safeParse(parseJson(verified.payload));
  if (!parsed.success) return { decision: { action: 'refused', reason: 'malformed' }, via };
  const message = parsed.data;
  const decision = await device.store.update((before) => {
    const decided = decide(message, verified.audience, device.accepts, before, device.now());
    return { memory: decided.memory, result: decided.decision };
  });
  const traceId = fromShortTraceId(verified.trace) ?? message.id;
  return { decision, message, via, traceId };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
