import type { DeviceMessage } from '../envelope/device-message.ts';

export interface NotificationText {
  readonly title: string;
  readonly body: string;
}

interface Words {
  readonly alert: string;
  readonly update: string;
  readonly cancelled: string;
  readonly exercise: string;
  readonly test: string;
  readonly cancelledBody: string;
}

const FRENCH: Words = {
  alert: 'ALERTE',
  update: 'MISE À JOUR',
  cancelled: 'ALERTE ANNULÉE',
  exercise: 'EXERCICE',
  test: 'ESSAI',
  cancelledBody: 'L’alerte précédente est annulée. Ne la suivez plus.',
};

const ENGLISH: Words = {
  alert: 'ALERT',
  update: 'UPDATE',
  cancelled: 'ALERT CANCELLED',
  exercise: 'EXERCISE',
  test: 'TEST',
  cancelledBody: 'The earlier alert is cancelled. Do not follow it any more.',
};

/** What stands on the screen: a word that says what it is, the headline, then what to do first. */
export function notificationText(message: DeviceMessage): NotificationText {
  const words = message.language.startsWith('fr') ? FRENCH : ENGLISH;
  const kind =
    message.msgType === 'Cancel'
      ? words.cancelled
      : message.msgType === 'Update'
        ? words.update
        : words.alert;
  const label =
    message.status === 'Exercise'
      ? words.exercise
      : message.status === 'Test'
        ? words.test
        : undefined;
  const title = [label, kind].filter(Boolean).join(' · ');
  const parts =
    message.msgType === 'Cancel'
      ? [message.headline, words.cancelledBody, message.description]
      : [message.headline, message.instruction, message.description];
  return {
    title: `${title} — ${message.senderName}`,
    body: parts.filter((part) => part !== undefined && part !== '').join('\n'),
  };
}
