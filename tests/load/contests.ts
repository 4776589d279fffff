import type { Contender, StandIn } from './contender.ts';
import { fcmLibraryHttp1, fcmLibraryHttp2, ownFcm } from './fcm-hand-over.ts';
import {
  libraryEncryption,
  libraryEncryptionCachedVapid,
  ownEncryption,
} from './web-push-encryption.ts';

/** Contenders do the same job for the same messages; `baseline` is what the others are divided by. */
export interface Contest {
  readonly name: string;
  readonly baseline: string;
  /** In each turn of each contender. */
  readonly messages: number;
  readonly contenders: Readonly<Record<string, (standIn: StandIn) => Promise<Contender>>>;
}

export const CONTESTS: Readonly<Record<string, Contest>> = {
  webPushEncryption: {
    name: 'Web Push: encryption and authorisation of one message',
    baseline: 'web-push generateRequestDetails',
    messages: 1_500,
    contenders: {
      'web-push generateRequestDetails': libraryEncryption,
      'web-push, authorisation given': libraryEncryptionCachedVapid,
      'ours, authorisation cached': ownEncryption,
    },
  },
  fcmHandOver: {
    name: 'FCM: hand-over of one message to the provider',
    baseline: 'firebase-admin sendEach (HTTP/2)',
    messages: 4_000,
    contenders: {
      'firebase-admin sendEach (HTTP/2)': fcmLibraryHttp2,
      'firebase-admin sendEach (legacy HTTP/1.1)': fcmLibraryHttp1,
      'ours, 1 session': (standIn) => ownFcm(standIn, 1),
      'ours, 6 sessions (default)': (standIn) => ownFcm(standIn, 6),
    },
  },
};
