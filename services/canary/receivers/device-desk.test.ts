import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createSigner } from '../../../shared/envelope/signature.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createSigningKey } from '../../../tests/support/signed-alerts.ts';
import { createDeviceDesk } from './device-desk.ts';
import { createEnrolmentCodes } from './enrolment-codes.ts';
import { openProbeDevices } from './probe-devices.ts';
import { createReceiverEvents } from './receiver-events.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-desk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const key = createSigningKey('canary', 'unnamed');
const ADDRESS = {
  transport: 'web-push' as const,
  endpoint: 'https://push.example/1',
  keys: { p256dh: 'B'.repeat(87), auth: 'C'.repeat(22) },
};

function setUp(limit = 2) {
  const said: string[] = [];
  const answer: { problem: string | undefined } = { problem: undefined };
  const devices = openProbeDevices(folder, { canary: 'a', limit, wallNow: () => 0 });
  const desk = createDeviceDesk({
    devices,
    codes: createEnrolmentCodes(() => 0),
    events: createReceiverEvents(createLogger('canary', 'a', 'silent')),
    register: () => Promise.resolve(answer.problem),
    onEnrolled: ({ name }) => said.push(`enrolled ${name}`),
    onMoved: () => said.push('moved'),
    onRemoved: (name) => said.push(`removed ${name}`),
  });
  const enrol = (code = desk.newCode().code) =>
    desk.enrol({ code, label: 'Standard', publicKey: key.x, address: ADDRESS });
  const change = async (name: string, at: number, signer = key, endpoint = `https://x/${at}`) =>
    (await createSigner({ ...signer, kid: name }, 'receipt'))(
      JSON.stringify({ v: 1, probe: name, at, address: { ...ADDRESS, endpoint } }),
    );
  return { said, answer, devices, desk, enrol, change };
}

const problemOf = async (promise: Promise<unknown>) => {
  try {
    await promise;
    return undefined;
  } catch (error) {
    const { problem } = error as { problem: { status: number; type: string } };
    return `${problem.status} ${problem.type.split('/').at(-1)}`;
  }
};

test('the list has a hard limit: no code and no device beyond it', async () => {
  const { desk, enrol, devices, said } = setUp();
  const codes = [1, 2, 3].map(() => desk.newCode().code);
  await enrol(codes[0]);
  await enrol(codes[1]);
  expect(await problemOf(enrol(codes[2]))).toBe('409 list-full');
  expect(await problemOf(Promise.resolve().then(() => desk.newCode()))).toBe('409 list-full');
  expect(devices.all()).toHaveLength(2);
  expect(said).toEqual(devices.all().map(({ name }) => `enrolled ${name}`));
});

test('without a good code, or with an address that no edge takes, nobody is on the list', async () => {
  const { enrol, devices, answer } = setUp();
  expect(await problemOf(enrol('AAAA-AAAA'))).toBe('403 wrong-code');
  answer.problem = 'address.endpoint is not a push service that we know';
  expect(await problemOf(enrol())).toBe('422 address-refused');
  expect(devices.all()).toEqual([]);
});

test('a new address counts when the device itself signed it, and never an older one again', async () => {
  const { desk, enrol, change, devices, said } = setUp();
  const { name } = await enrol();
  const old = await change(name, 5);
  await desk.move(name, old);
  await desk.move(name, await change(name, 6));
  expect(devices.all()[0]?.address.endpoint).toBe('https://x/6');
  expect(await problemOf(desk.move(name, old))).toBe('409 older-address');
  const forged = await change(name, 9, createSigningKey('canary', name));
  expect(await problemOf(desk.move(name, forged))).toBe('403 bad-signature');
  expect(await problemOf(desk.move(name, 'junk'))).toBe('403 bad-signature');
  expect(await problemOf(desk.move('a-probe-nobody', old))).toBe('403 unknown-probe');
  expect(devices.all()[0]?.address.endpoint).toBe('https://x/6');
  expect(said.filter((each) => each === 'moved')).toHaveLength(2);
  // A receipt of the same key is no change of address.
  const receipt = (await createSigner({ ...key, kid: name }, 'receipt'))('{"v":1}');
  expect(await problemOf(desk.move(name, await receipt))).toBe('400 invalid-request');
});
