import { expect, test } from '@jest/globals';
import type { Decision } from '../../shared/device/decide.ts';
import { DeviceMessage } from '../../shared/envelope/device-message.ts';
import {
  createSigningKey,
  signedDeviceMessage,
  testAlert,
} from '../../tests/support/signed-alerts.ts';
import { notificationPlan } from './web/notification-plan.ts';

const key = createSigningKey('public');

async function message(facts: Parameters<typeof testAlert>[0]): Promise<DeviceMessage> {
  const jws = await signedDeviceMessage(testAlert(facts), key);
  return DeviceMessage.parse(
    JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()),
  );
}

test('an alert rings under its tag and stays until somebody has seen it', async () => {
  const plan = notificationPlan({
    decision: { action: 'shown', tag: 't' },
    message: await message({ identifier: 'a' }),
  });
  expect(plan.close).toEqual([]);
  expect(plan.show).toHaveLength(1);
  expect(plan.show[0]).toMatchObject({
    title: 'ALERTE — Préfecture des Alpes-Maritimes',
    options: { tag: 't', renotify: true, requireInteraction: true, lang: 'fr-FR' },
  });
});

test('an exercise does not stay on the screen', async () => {
  const exercise = await message({ identifier: 'e', status: 'Exercise' });
  const plan = notificationPlan({ decision: { action: 'shown', tag: 't' }, message: exercise });
  expect(plan.show[0]?.title).toMatch(/^EXERCICE · ALERTE/);
  expect(plan.show[0]?.options.requireInteraction).toBe(false);
});

test('a Cancel takes the place of each shown alert without a sound, and says nothing where nothing was shown', async () => {
  const cancel = await message({
    identifier: 'c',
    msgType: 'Cancel',
    references: [testAlert({ identifier: 'a' })],
  });
  const plan = notificationPlan({
    decision: { action: 'taken-down', tags: ['t', 'u'] },
    message: cancel,
  });
  expect(plan.close).toEqual(['t', 'u']);
  expect(plan.show.map(({ options }) => [options.tag, options.silent, options.renotify])).toEqual([
    ['t', true, undefined],
    ['u', true, undefined],
  ]);
  expect(
    notificationPlan({ decision: { action: 'taken-down', tags: [] }, message: cancel }).show,
  ).toEqual([]);
});

test.each<Decision>([
  { action: 'refused', reason: 'unsigned' },
  { action: 'refused', reason: 'malformed' },
  { action: 'refused', reason: 'wrong-audience' },
  { action: 'refused', reason: 'expired' },
  { action: 'ignored', reason: 'seen' },
  { action: 'ignored', reason: 'cancelled-before' },
])('P8: nothing stands on the screen for %j', async (decision) => {
  expect(notificationPlan({ decision, message: await message({ identifier: 'x' }) })).toEqual({
    close: [],
    show: [],
  });
  expect(notificationPlan({ decision })).toEqual({ close: [], show: [] });
});
