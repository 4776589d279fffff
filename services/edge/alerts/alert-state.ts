import type { Envelope } from '../../../shared/envelope/envelope.ts';

/** What an alert is now, for people who look at the page. */
export type AlertState = 'active' | 'cancelled' | 'replaced' | 'expired';

export interface ShownAlert {
  readonly envelope: Envelope;
  readonly state: AlertState;
}

/**
 * The state of each alert, newest first. A Cancel or Update works whatever came first: it takes effect on what it
 * references as soon as both are there. Who was cancelled stays cancelled when its time is over.
 */
export function shownAlerts(envelopes: readonly Envelope[], nowMs: number): ShownAlert[] {
  const ended = new Map<string, AlertState>();
  for (const { alert, references } of envelopes)
    for (const id of references) {
      if (alert.msgType === 'Cancel') ended.set(id, 'cancelled');
      else if (alert.msgType === 'Update' && !ended.has(id)) ended.set(id, 'replaced');
    }
  return [...envelopes]
    .sort((a, b) => Date.parse(b.alert.sent) - Date.parse(a.alert.sent))
    .map((envelope) => {
      const over = Date.parse(envelope.expiresAt) <= nowMs;
      return { envelope, state: ended.get(envelope.id) ?? (over ? 'expired' : 'active') };
    });
}

/** The next instant (ms) at which time alone changes a state. */
export function nextExpiryMs(envelopes: readonly Envelope[], nowMs: number): number {
  const coming = envelopes.map((each) => Date.parse(each.expiresAt)).filter((ms) => ms > nowMs);
  return Math.min(Number.POSITIVE_INFINITY, ...coming);
}
