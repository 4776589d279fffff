import type { Envelope } from '../../shared/envelope/envelope.ts';
import type { Journal } from './journal.ts';

/** CAP's instants are whole seconds: a Cancel counts for all of the second in which it was sent. */
const SAME_SECOND_MS = 999;

/**
 * Whether another message has put an end to this one (P3): by its name, or, for an Update, by a Cancel of what it
 * updates that was sent later. The Cancel's author need not have known of the Update: another ingest may have taken it.
 */
export function isOver(
  { id, alert, references }: Pick<Envelope, 'id' | 'alert' | 'references'>,
  journal: Pick<Journal, 'isEnded' | 'isCancelled'>,
): boolean {
  if (journal.isEnded(id)) return true;
  return alert.msgType === 'Update' && journal.isCancelled(references, Date.parse(alert.sent));
}

/** Keeps what `isOver` has to know of a Cancel. */
export function noteCancel(
  { alert, references }: Pick<Envelope, 'alert' | 'references'>,
  journal: Pick<Journal, 'noteCancel'>,
  nowMs: number,
): void {
  if (alert.msgType !== 'Cancel') return;
  const sentMs = Date.parse(alert.sent) + SAME_SECOND_MS;
  for (const id of references) journal.noteCancel(id, sentMs, nowMs);
}
