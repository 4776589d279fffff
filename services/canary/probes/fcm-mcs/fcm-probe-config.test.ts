import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { FCM_PROBE_SETTINGS, fcmProbeOf, missingFcmSettings } from './fcm-probe-config.ts';

const Settings = z.object(FCM_PROBE_SETTINGS);
const APP = {
  FCM_PROBE: 'mcs',
  FCM_PROJECT_ID: 'project',
  FCM_SENDER_ID: '123456789012',
  FCM_APP_ID: '1:123456789012:android:0',
  FCM_API_KEY: 'key',
  FCM_APP_PACKAGE: 'example.alerte.probe',
};

test('without a word the probe is the sandbox’s simple device', () => {
  const settings = Settings.parse({});
  expect(missingFcmSettings(settings)).toEqual([]);
  expect(fcmProbeOf(settings)).toEqual({
    kind: 'websocket',
    url: 'ws://127.0.0.1:8492/fcm',
    tokensUrl: 'http://127.0.0.1:8493/fcm/tokens',
  });
});

test('an app is all that a device of Google’s needs: the addresses are Google’s', () => {
  const settings = Settings.parse(APP);
  expect(missingFcmSettings(settings)).toEqual([]);
  expect(fcmProbeOf(settings)).toEqual({
    kind: 'mcs',
    servers: {
      checkInUrl: 'https://android.clients.google.com/checkin',
      registerUrl: 'https://android.clients.google.com/c2dm/register3',
      installationsOrigin: 'https://firebaseinstallations.googleapis.com',
      mcs: { host: 'mtalk.google.com', port: 5228 },
    },
    app: {
      projectId: 'project',
      senderId: '123456789012',
      appId: '1:123456789012:android:0',
      apiKey: 'key',
      packageName: 'example.alerte.probe',
      certificateSha1: undefined,
    },
  });
});

test('everything that is missing for it is named at once', () => {
  const { FCM_PROBE, FCM_SENDER_ID } = APP;
  expect(missingFcmSettings(Settings.parse({ FCM_PROBE, FCM_SENDER_ID }))).toEqual([
    'FCM_PROJECT_ID',
    'FCM_APP_ID',
    'FCM_API_KEY',
    'FCM_APP_PACKAGE',
  ]);
});

test.each([
  ['FCM_CHECK_IN_URL', 'http://android.clients.google.com/checkin'],
  ['FCM_MCS_SERVER', 'mtalk.google.com'],
  ['FCM_SENDER_ID', 'project'],
  ['FCM_APP_PACKAGE', 'not a package'],
  ['FCM_APP_CERT_SHA1', 'AB:CD'],
])('%s=%s is refused', (name, value) => {
  expect(Settings.safeParse({ ...APP, [name]: value }).success).toBe(false);
});
