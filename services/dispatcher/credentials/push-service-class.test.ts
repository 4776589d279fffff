import { expect, test } from '@jest/globals';
import { pushServiceClass } from './push-service-class.ts';

test.each([
  ['https://updates.push.services.mozilla.com/wpush/v2/gAAA', 'mozilla'],
  ['https://autoconnect.push.services.mozilla.com/wpush/v2/gAAA', 'mozilla'],
  ['https://fcm.googleapis.com/fcm/send/abc', 'google'],
  ['https://jmt17.google.com/fcm/send/abc', 'google'],
  ['https://web.push.apple.com/abc', 'apple'],
  ['https://par02p.notify.windows.com/w/?token=abc', 'windows'],
  ['https://localhost:8491/wpush/v2/abc', 'own'],
  ['https://push.alerte.example', 'own'],
  ['https://notpush.apple.com.example/abc', 'own'],
  ['https://evilgoogleapis.com/abc', 'own'],
])('%s is a push service of %s', (endpoint, expected) => {
  expect(pushServiceClass(endpoint)).toBe(expected);
});
