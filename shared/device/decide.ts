import type { Audience } from '../alert/audience.ts';
import { audienceOfStatus } from '../alert/audience.ts';
import type { DeviceMessage } from '../envelope/device-message.ts';
import { type DeviceMemory, recall, remember } from './memory.ts';

/** What a device does with a message whose signature holds. */
export type Decision =
  /** Ring and show under `tag`. */
  | { readonly action: 'shown'; readonly tag: string }
  /** An Update: show in the place of what stands under `tag`. */
  | { readonly action: 'replaced'; readonly tag: string }
  /** A Cancel: take down what stands under these tags (none: nothing was shown, stay silent). */
  | { readonly action: 'taken-down'; readonly tags: readonly string[] }
  /** Known already, or cancelled before it came: say nothing (P4). */
  | { readonly action: 'ignored'; readonly reason: 'seen' | 'cancelled-before' }
  /** Must not be shown (P3, P6, P8). */
  | { readonly action: 'refused'; readonly reason: RefusalReason };

export type RefusalReason = 'malformed' | 'unsigned' | 'wrong-audience' | 'expired';

interface Decided {
  readonly decision: Decision;
  readonly memory: DeviceMemory;
}

/**
 * The device's rule, pure: verified message + what is remembered + the time → what to do and what to remember.
 * Twice the same message is shown once; a Cancel also works before its Alert; a late alert never rings.
 */
export function decide(
  message: DeviceMessage,
  signedFor: Audience,
  accepts: readonly Audience[],
  memory: DeviceMemory,
  nowMs: number,
): Decided {
  const refuse = (reason: RefusalReason): Decided => ({
    decision: { action: 'refused', reason },
    memory,
  });
  if (
    message.audience !== signedFor ||
    audienceOfStatus(message.status) !== message.audience ||
    !accepts.includes(message.audience)
  )
    return refuse('wrong-audience');
  const expiresMs = Date.parse(message.expires);
  if (expiresMs <= nowMs) return refuse('expired');
  const known = recall(memory, message.id);
  if (known?.state === 'shown') return { decision: { action: 'ignored', reason: 'seen' }, memory };
  if (known) {
    const reason = message.msgType === 'Cancel' ? 'seen' : 'cancelled-before';
    return { decision: { action: 'ignored', reason }, memory };
  }
  return message.msgType === 'Cancel'
    ? takeDown(message, expiresMs, memory)
    : show(message, expiresMs, memory);
}

function takeDown(message: DeviceMessage, expiresMs: number, memory: DeviceMemory): Decided {
  const tags = new Set<string>();
  const entries = message.references.map((id) => {
    const shown = recall(memory, id);
    if (shown?.state === 'shown') tags.add(shown.tag);
    return {
      id,
      state: 'taken-down' as const,
      tag: shown?.tag ?? id,
      expiresMs: shown?.expiresMs ?? expiresMs,
    };
  });
  const own = { id: message.id, state: 'taken-down' as const, tag: message.id, expiresMs };
  return {
    decision: { action: 'taken-down', tags: [...tags] },
    memory: remember(memory, [...entries, own]),
  };
}

function show(message: DeviceMessage, expiresMs: number, memory: DeviceMemory): Decided {
  const replaced = message.references
    .map((id) => recall(memory, id))
    .find((each) => each?.state === 'shown');
  const tag = replaced?.tag ?? message.id;
  const superseded = message.references.map((id) => {
    const before = recall(memory, id);
    return {
      id,
      state: 'taken-down' as const,
      tag: before?.tag ?? id,
      expiresMs: before?.expiresMs ?? expiresMs,
    };
  });
  const own = { id: message.id, state: 'shown' as const, tag, expiresMs };
  const action = replaced ? ('replaced' as const) : ('shown' as const);
  return { decision: { action, tag }, memory: remember(memory, [...superseded, own]) };
}
