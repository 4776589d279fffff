import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openProbeDevices, probeOfDevice } from './probe-devices.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-devices-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NEW = {
  label: 'Standard',
  publicKey: 'A'.repeat(43),
  address: {
    transport: 'web-push' as const,
    endpoint: 'https://push.example/1',
    keys: { p256dh: 'B'.repeat(87), auth: 'C'.repeat(22) },
  },
};
const open = (limit = 2) => openProbeDevices(folder, { canary: 'a', limit, wallNow: () => 0 });

test('devices are kept over a restart, in a file that only we may read, and never more than the limit', () => {
  const devices = open();
  const first = devices.prepare(NEW);
  const second = devices.prepare(NEW);
  const third = devices.prepare(NEW);
  if (!first || !second || !third) throw new Error('there is room');
  expect(devices.all()).toEqual([]);
  expect([devices.add(first), devices.add(second), devices.add(third)]).toEqual([
    true,
    true,
    false,
  ]);
  expect(devices.prepare(NEW)).toBeUndefined();
  expect(first.name).not.toBe(second.name);
  expect(first.name).toMatch(/^a-probe-[a-z2-9]{6}$/);
  expect(open().all()).toEqual([first, second]);
  expect(open(1).all()).toEqual([first]);
  const [file = ''] = readdirSync(folder);
  expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
});

test('a new address counts when it is newer; an old one that comes again does not', () => {
  const devices = open();
  const device = devices.prepare(NEW);
  if (!device) throw new Error('there is room');
  devices.add(device);
  const probe = probeOfDevice(device, devices);
  const moved = { ...NEW.address, endpoint: 'https://push.example/2' };
  expect(devices.move(device.name, moved, 10)).toBe(true);
  expect(devices.move(device.name, NEW.address, 10)).toBe(false);
  expect(devices.move('nobody', NEW.address, 20)).toBe(false);
  expect(probe.subscription()?.address).toEqual(moved);
  expect(devices.remove(device.name)).toBe(true);
  expect(devices.remove(device.name)).toBe(false);
  expect(probe.subscription()).toBeUndefined();
});
