import type { ReceiverKind } from '../receivers/receiver-log.ts';
import type { Language } from './texts.ts';

/** What the page says of receivers. */
interface ReceiverTexts {
  readonly title: string;
  readonly kinds: Readonly<Record<ReceiverKind, string>>;
  readonly silent: (what: string) => string;
  readonly receipt: (latency: string) => string;
}

export const RECEIVER_TEXTS: Readonly<Record<Language, ReceiverTexts>> = {
  fr: {
    title: 'Récepteurs : âge du dernier reçu signé',
    kinds: {
      autopush: 'Web Push (autopush)',
      fcm: 'FCM émulé',
      'unified-push': 'UnifiedPush (service auto-hébergé)',
      browser: 'Téléphone ou kiosque',
    },
    silent: (what) => `Récepteur muet : ${what}, depuis`,
    receipt: (latency) => `reçu en ${latency}`,
  },
  en: {
    title: 'Receivers: age of the last signed receipt',
    kinds: {
      autopush: 'Web Push (autopush)',
      fcm: 'FCM, emulated',
      'unified-push': 'UnifiedPush (self-hosted service)',
      browser: 'Phone or kiosk',
    },
    silent: (what) => `Receiver silent: ${what}, for`,
    receipt: (latency) => `received in ${latency}`,
  },
};
