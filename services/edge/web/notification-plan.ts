import { notificationText } from '../../../shared/device/notification-text.ts';
import type { Received } from '../../../shared/device/receive.ts';

/** The options of the Notification API that we use (`renotify` and `timestamp` are missing in TypeScript's own type). */
export interface PlannedOptions {
  readonly tag: string;
  readonly body: string;
  readonly lang: string;
  readonly icon: string;
  readonly timestamp: number;
  readonly data: { readonly id: string; readonly url: string };
  readonly renotify?: boolean;
  readonly requireInteraction?: boolean;
  readonly silent?: boolean;
}

/** What the worker does on the screen. */
export interface NotificationPlan {
  /** Notifications to take down first. */
  readonly close: readonly string[];
  readonly show: readonly { readonly title: string; readonly options: PlannedOptions }[];
}

/**
 * A decision → what happens on the screen. An alert rings and stays; its Update takes its place and rings again; its
 * Cancel takes its place quietly, and shows nothing where nothing was shown. Refused and repeated ones do nothing.
 */
export function notificationPlan({ decision, message }: Received): NotificationPlan {
  if (!message) return { close: [], show: [] };
  const { title, body } = notificationText(message);
  const common = {
    body,
    lang: message.language,
    icon: '/icon.svg',
    timestamp: Date.parse(message.sent),
    data: { id: message.id, url: `/alerts/${message.id}` },
  };
  switch (decision.action) {
    case 'shown':
    case 'replaced': {
      const stays = message.level === 'extreme' || message.level === 'severe';
      const options = { ...common, tag: decision.tag, renotify: true, requireInteraction: stays };
      return { close: [], show: [{ title, options }] };
    }
    case 'taken-down':
      return {
        close: decision.tags,
        show: decision.tags.map((tag) => ({ title, options: { ...common, tag, silent: true } })),
      };
    case 'ignored':
    case 'refused':
      return { close: [], show: [] };
  }
}
