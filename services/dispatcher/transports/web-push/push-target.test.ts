import { expect, test } from '@jest/globals';
import { isAllowedPushEndpoint } from '../../../../shared/subscription/push-origin.ts';
import { createPushTargets } from './push-target.ts';

const EXTRA = ['https://push.example:8443'];
const targetOf = createPushTargets(EXTRA);

/** What a parser and the list of push services say: the truth that the quick way must keep to. */
function slow(endpoint: string) {
  if (!isAllowedPushEndpoint(endpoint, EXTRA)) return undefined;
  const url = new URL(endpoint);
  return { origin: url.origin, path: url.pathname + url.search };
}

test.each([
  'https://updates.push.services.mozilla.com/wpush/v2/gAAAA-_b:c~d',
  'https://fcm.googleapis.com/fcm/send/abc:APA91b-_',
  'https://web.push.apple.com/QK-e_x?y=1&z=%41',
  'https://wns2-par02p.notify.windows.com/w/?token=BQYA%2bx%3d',
  'https://push.example:8443/up?a=1',
  'https://fcm.googleapis.com',
  'https://fcm.googleapis.com?x=/a/b',
  'https://fcm.googleapis.com#/a/b',
  'https://FCM.googleapis.com/a',
  'https://fcm.googleapis.com:443/a',
  'https://fcm.googleapis.com/a/../b',
  'https://fcm.googleapis.com/a/%2E%2e/b',
  'https://fcm.googleapis.com/a/./b',
  'https://fcm.googleapis.com/a#secret',
  'https://fcm.googleapis.com/a b\r\nx: y',
  'https://fcm.googleapis.com/é',
  'https://fcm.googleapis.com/a\\b',
  'https://fcm.googleapis.com/"<>`{}^',
  "https://fcm.googleapis.com/a?q='",
  'https://fcm.googleapis.com//evil.example/x',
  'https://evil.example@fcm.googleapis.com/a',
  'https://fcm.googleapis.com@evil.example/a',
  'https://evil.example\\@fcm.googleapis.com/a',
  'https://evil.example#@fcm.googleapis.com/a',
  'https://push.example/a',
  'https://127.0.0.1:8402/v1/intake',
  'http://fcm.googleapis.com/a',
  'no address',
  '',
])('%j goes where a parser says, or nowhere', (endpoint) => {
  expect(targetOf(endpoint)).toEqual(slow(endpoint));
  expect(targetOf(endpoint)).toEqual(slow(endpoint));
});

test('strangers that bring new origins do not fill the memory, and stay refused', () => {
  for (let i = 0; i < 2_000; i++) expect(targetOf(`https://push${i}.example/a`)).toBeUndefined();
  expect(targetOf('https://fcm.googleapis.com/a')?.path).toBe('/a');
});
