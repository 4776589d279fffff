import type { Audience } from '../alert/audience.ts';
import { audienceOfStatus } from '../alert/audience.ts';
import type { DeviceMessage } from '../envelope/device-message.ts';
import { type DeviceMemory, type RememberedAlert, recall, remember } from './memory.ts';

/** What a device does with a message whose signature holds. */
export type Decision =
  /** Ring and show under `tag`. */
  | { readonly action: 'shown'; readonly tag: string }
  /** An Update: show in the place of what stands under `tag`. */
  | { readonly action: 'replaced'; readonly tag: string }
  /** A Cancel: take down what stands under these tags (none: nothing was shown, stay silent). */
  | { readonly action: 'taken-down'; readonly tags: readonly string[] }
  /** Known already, or cancelled or updated again before it came: say nothing (P4). */
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
  if (message.msgType === 'Cancel') return takeDown(message, expiresMs, memory);
  return isOvertaken(message, memory)
    ? overtaken(message, expiresMs, memory)
    : show(message, expiresMs, memory);
}

/** A Cancel counts for the whole second in which it was sent: CAP's instants are no finer. */
const SAME_SECOND_MS = 999;

/** What it is about has been cancelled, or updated again, by a message that was sent later but came first. */
function isOvertaken(message: DeviceMessage, memory: DeviceMemory): boolean {
  const sentMs = Date.parse(message.sent);
  return message.references.some((id) => (recall(memory, id)?.endedBySentMs ?? 0) > sentMs);
}

function overtaken(message: DeviceMessage, expiresMs: number, memory: DeviceMemory): Decided {
  const own = { id: message.id, state: 'taken-down' as const, tag: message.id, expiresMs };
  return {
    decision: { action: 'ignored', reason: 'cancelled-before' },
    memory: remember(memory, [own]),
  };
}

/**
 * What stands on the screen for a referenced message: itself, or the Update that took its place (it kept the tag). Who
 * refers to the first Alert means the event, whatever has been said about it since.
 */
function standing(memory: DeviceMemory, ids: readonly string[]): readonly RememberedAlert[] {
  const tags = new Set(ids.map((id) => recall(memory, id)?.tag).filter((tag) => tag !== undefined));
  return memory.filter((each) => each.state === 'shown' && tags.has(each.tag));
}

/** The memory of messages that are no longer to be shown, whether they have come or not. */
function ended(
  memory: DeviceMemory,
  ids: readonly string[],
  by: { expiresMs: number; sentMs: number },
): RememberedAlert[] {
  return [...new Set(ids)].map((id) => {
    const before = recall(memory, id);
    return {
      id,
      state: 'taken-down',
      tag: before?.tag ?? id,
      expiresMs: before?.expiresMs ?? by.expiresMs,
      endedBySentMs: Math.max(before?.endedBySentMs ?? 0, by.sentMs),
    };
  });
}

function takeDown(message: DeviceMessage, expiresMs: number, memory: DeviceMemory): Decided {
  const shown = standing(memory, message.references);
  const over = ended(memory, [...message.references, ...shown.map(({ id }) => id)], {
    expiresMs,
    sentMs: Date.parse(message.sent) + SAME_SECOND_MS,
  });
  const own = { id: message.id, state: 'taken-down' as const, tag: message.id, expiresMs };
  const tags = [...new Set(shown.map(({ tag }) => tag))];
  return {
    decision: { action: 'taken-down', tags },
    memory: remember(memory, [...over, own]),
  };
}

function show(message: DeviceMessage, expiresMs: number, memory: DeviceMemory): Decided {
  const replaced = standing(memory, message.references);
  const tag = replaced[0]?.tag ?? message.id;
  const over = ended(memory, [...message.references, ...replaced.map(({ id }) => id)], {
    expiresMs,
    sentMs: Date.parse(message.sent),
  });
  const own = { id: message.id, state: 'shown' as const, tag, expiresMs };
  const action = replaced.length > 0 ? ('replaced' as const) : ('shown' as const);
  return { decision: { action, tag }, memory: remember(memory, [...over, own]) };
}
