import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { openOutbox } from './outbox.ts';

const root = mkdtempSync(join(tmpdir(), 'tocsin-outbox-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const record = (deviceId: string, version: number) => ({
  deviceId,
  version,
  data: `${deviceId}@${version}`,
});

test('keeps the newest record of a device for each site, over a restart', () => {
  const folder = join(root, 'restart');
  const first = openOutbox(folder);
  first.put('b', record('x', 2));
  first.put('b', record('x', 1));
  first.put('c', record('x', 2));
  first.put('b', record('y', 3));
  first.close();
  const again = openOutbox(folder);
  expect(again.size()).toBe(3);
  expect(again.next('b', 10)).toEqual([record('x', 2), record('y', 3)]);
  again.close();
});

test('what a site has is taken out; a newer record that waits stays', () => {
  const outbox = openOutbox(join(root, 'settled'));
  outbox.put('b', record('x', 5));
  outbox.settled('b', 'x', 4);
  expect(outbox.size()).toBe(1);
  outbox.settled('b', 'x', 5);
  expect(outbox.size()).toBe(0);
  outbox.close();
});

test('P12: it is bounded, and says what fell out', () => {
  const outbox = openOutbox(join(root, 'bounded'), 2);
  expect([1, 2, 3].map((version) => outbox.put('b', record(`d${version}`, version)))).toEqual([
    0, 0, 1,
  ]);
  expect(outbox.next('b', 10).map((each) => each.version)).toEqual([2, 3]);
  outbox.close();
});
