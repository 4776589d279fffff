import { expect, test } from '@jest/globals';
import {
  SAMPLE_SENT_MS,
  sampleAlert,
  sampleInfo,
  sampleTest,
} from '../../tests/support/sample-alert.ts';
import { keySetOf, sampleKey, sampleMessage } from '../../tests/support/sample-envelope.ts';
import type { Alert } from '../alert/alert.ts';
import { alertId } from '../alert/alert-id.ts';
import type { Audience } from '../alert/audience.ts';
import { formatCapDateTime } from '../alert/placeholders.ts';
import { createSigner, createVerifier } from '../envelope/signature.ts';
import { createInMemoryStore } from './in-memory-store.ts';
import { receive } from './receive.ts';

const KEYS = { public: sampleKey('public'), canary: sampleKey('canary') };
const SENT_MS = SAMPLE_SENT_MS;

function createDevice(accepts: readonly Audience[] = ['public']) {
  const clock = { ms: SENT_MS + 1_000 };
  const verify = createVerifier(keySetOf(KEYS.public, KEYS.canary), 'alert');
  const setup = { verify, accepts, store: createInMemoryStore(), now: () => clock.ms };
  return { clock, take: async (payload: unknown) => (await receive(payload, setup)).decision };
}

interface Sealing {
  readonly references?: readonly Alert[];
  readonly by?: Audience;
  readonly audience?: Audience;
}

async function push(alert: Alert, { references = [], by = 'public', audience = by }: Sealing = {}) {
  const sign = await createSigner(KEYS[by], 'alert');
  const ids = await Promise.all(references.map(alertId));
  return {
    alert: await sign(JSON.stringify(await sampleMessage(alert, { audience, references: ids }))),
    via: 'a',
  };
}

const FIRST = sampleAlert();
const update = (identifier: string) => sampleAlert({ identifier, msgType: 'Update' });
const CANCEL = sampleAlert({ identifier: 'cancel', msgType: 'Cancel' });

test('P4: whatever comes twice is shown once, also when both come at the same instant', async () => {
  const device = createDevice();
  const pushed = await push(FIRST);
  const both = await Promise.all([device.take(pushed), device.take({ ...pushed, via: 'b' })]);
  expect(both.map(({ action }) => action).sort()).toEqual(['ignored', 'shown']);
  expect(await device.take(pushed)).toEqual({ action: 'ignored', reason: 'seen' });
});

test('P3: a late alert never rings, to the millisecond', async () => {
  const device = createDevice();
  const expiresMs = Date.parse(sampleInfo().expires);
  device.clock.ms = expiresMs;
  expect(await device.take(await push(FIRST))).toEqual({ action: 'refused', reason: 'expired' });
  device.clock.ms = expiresMs - 1;
  expect(await device.take(await push(FIRST))).toMatchObject({ action: 'shown' });
});

test('an Update takes the place of its Alert, an Update of it the place of both, under one tag', async () => {
  const device = createDevice();
  const tag = await alertId(FIRST);
  expect(await device.take(await push(FIRST))).toEqual({ action: 'shown', tag });
  expect(await device.take(await push(update('u1'), { references: [FIRST] }))).toEqual({
    action: 'replaced',
    tag,
  });
  expect(
    await device.take(await push(update('u2'), { references: [FIRST, update('u1')] })),
  ).toEqual({ action: 'replaced', tag });
  expect(await device.take(await push(CANCEL, { references: [update('u2')] }))).toEqual({
    action: 'taken-down',
    tags: [tag],
  });
});

test('who names the first Alert means the event: the Update in its place is replaced and taken down', async () => {
  const device = createDevice();
  const tag = await alertId(FIRST);
  await device.take(await push(FIRST));
  await device.take(await push(update('u1'), { references: [FIRST] }));
  expect(await device.take(await push(update('u2'), { references: [FIRST] }))).toEqual({
    action: 'replaced',
    tag,
  });
  expect(await device.take(await push(CANCEL, { references: [FIRST] }))).toEqual({
    action: 'taken-down',
    tags: [tag],
  });
  expect(await device.take(await push(update('u2'), { references: [FIRST] }))).toMatchObject({
    action: 'ignored',
  });
});

test('P3: a Cancel that overtakes its Alert is remembered: the Alert stays silent', async () => {
  const device = createDevice();
  expect(await device.take(await push(CANCEL, { references: [FIRST] }))).toEqual({
    action: 'taken-down',
    tags: [],
  });
  expect(await device.take(await push(FIRST))).toEqual({
    action: 'ignored',
    reason: 'cancelled-before',
  });
  expect(await device.take(await push(CANCEL, { references: [FIRST] }))).toEqual({
    action: 'ignored',
    reason: 'seen',
  });
});

test('P3 P4: two Cancels of one alert, of which one names an Update more, are as good as one, in either order', async () => {
  const short = await push(CANCEL, { references: [FIRST] });
  const long = await push(sampleAlert({ identifier: 'cancel-2', msgType: 'Cancel' }), {
    references: [FIRST, update('u1')],
  });
  for (const cancels of [
    [short, long],
    [long, short],
  ]) {
    const device = createDevice();
    await device.take(await push(FIRST));
    await device.take(await push(update('u1'), { references: [FIRST] }));
    const decisions = [];
    for (const cancel of cancels) decisions.push(await device.take(cancel));
    expect(decisions).toEqual([
      { action: 'taken-down', tags: [await alertId(FIRST)] },
      { action: 'taken-down', tags: [] },
    ]);
    for (const late of [await push(FIRST), await push(update('u1'), { references: [FIRST] })])
      expect(await device.take(late)).toMatchObject({ action: 'ignored' });
  }
});

test('P3: an Update that comes after a Cancel of its Alert stays silent, unless it was sent after it', async () => {
  const device = createDevice();
  await device.take(await push(FIRST));
  await device.take(await push(CANCEL, { references: [FIRST] }));
  const late = await push(update('u1'), { references: [FIRST] });
  expect(await device.take(late)).toEqual({ action: 'ignored', reason: 'cancelled-before' });
  const sent = formatCapDateTime(SENT_MS + 5_000, 120);
  const again = sampleAlert({ identifier: 'u2', msgType: 'Update', sent });
  expect(await device.take(await push(again, { references: [FIRST] }))).toMatchObject({
    action: 'shown',
  });
});

test('P3: of two Updates the one that was sent later stands, in whichever order they come', async () => {
  const device = createDevice();
  await device.take(await push(FIRST));
  const sent = formatCapDateTime(SENT_MS + 5_000, 120);
  const newer = sampleAlert({ identifier: 'u2', msgType: 'Update', sent });
  expect(await device.take(await push(newer, { references: [FIRST] }))).toMatchObject({
    action: 'replaced',
  });
  expect(await device.take(await push(update('u1'), { references: [FIRST] }))).toEqual({
    action: 'ignored',
    reason: 'cancelled-before',
  });
});

test('an Update that overtakes its Alert is shown, and the Alert then stays silent', async () => {
  const device = createDevice();
  expect(await device.take(await push(update('u1'), { references: [FIRST] }))).toMatchObject({
    action: 'shown',
  });
  expect(await device.take(await push(FIRST))).toEqual({
    action: 'ignored',
    reason: 'cancelled-before',
  });
});

test('a Cancel leaves other alerts where they are', async () => {
  const device = createDevice();
  const other = sampleAlert({ identifier: 'other' });
  await device.take(await push(FIRST));
  await device.take(await push(other));
  expect(await device.take(await push(CANCEL, { references: [FIRST] }))).toEqual({
    action: 'taken-down',
    tags: [await alertId(FIRST)],
  });
  expect(await device.take(await push(other))).toEqual({ action: 'ignored', reason: 'seen' });
});

test('P6: a person’s device shows no canary, a probe shows both, and no key speaks for the other audience', async () => {
  const canary = await push(sampleTest(), { by: 'canary' });
  expect(await createDevice().take(canary)).toEqual({
    action: 'refused',
    reason: 'wrong-audience',
  });
  expect(await createDevice(['public', 'canary']).take(canary)).toMatchObject({ action: 'shown' });
  const crossed: [Alert, Sealing][] = [
    [FIRST, { by: 'canary', audience: 'public' }],
    [FIRST, { by: 'canary', audience: 'canary' }],
    [sampleTest(), { by: 'public', audience: 'public' }],
    [sampleTest(), { by: 'public', audience: 'canary' }],
  ];
  for (const [alert, sealing] of crossed)
    expect(await createDevice(['public', 'canary']).take(await push(alert, sealing))).toEqual({
      action: 'refused',
      reason: 'wrong-audience',
    });
});

test('P8: malformed, unsigned, signed by a stranger or for another purpose: refused, and nothing of it is used', async () => {
  const device = createDevice();
  const message = JSON.stringify(await sampleMessage(FIRST));
  const signed = async (key = KEYS.public, type: 'alert' | 'envelope' = 'alert', text = message) =>
    (await createSigner(key, type))(text);
  const table: [unknown, string][] = [
    [undefined, 'malformed'],
    ['text', 'malformed'],
    [{ alert: await signed() }, 'malformed'],
    [{ alert: 'x'.repeat(2401), via: 'a' }, 'malformed'],
    [{ alert: message, via: 'a' }, 'unsigned'],
    [{ alert: await signed(sampleKey('public')), via: 'a' }, 'unsigned'],
    [{ alert: await signed(KEYS.public, 'envelope'), via: 'a' }, 'unsigned'],
    [{ alert: await signed(KEYS.public, 'alert', 'no json'), via: 'a' }, 'malformed'],
    [{ alert: await signed(KEYS.public, 'alert', '{"v":1}'), via: 'a' }, 'malformed'],
  ];
  for (const [payload, reason] of table)
    expect(await device.take(payload)).toEqual({ action: 'refused', reason });
  expect(await device.take(await push(FIRST))).toMatchObject({ action: 'shown' });
});
