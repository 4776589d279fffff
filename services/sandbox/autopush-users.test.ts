import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createAutopushUsers, MAX_STORED_PER_USER } from './autopush-users.ts';
import { createFcmDevices } from './fcm-devices.ts';
import { openState } from './state.ts';

const folder = mkdtempSync(join(tmpdir(), 'tocsin-users-'));
const db = openState(folder);
afterAll(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

test('P3: what is past its time neither counts against the user’s limit nor comes back', () => {
  const users = createAutopushUsers(db);
  const channel = users.find(users.register('u1', 'c1', undefined));
  if (!channel) throw new Error('not registered');
  for (let i = 0; i < 2 * MAX_STORED_PER_USER; i++) {
    const nowMs = i * 1000;
    const message = { version: `v${i}`, body: Buffer.from('x'), topic: undefined };
    const times = { ttlSeconds: 2, expiresMs: nowMs + 2000 };
    expect(users.store(channel, { ...message, ...times }, nowMs)).toBe(true);
  }
  const nowMs = (2 * MAX_STORED_PER_USER - 1) * 1000;
  const stored = users.stored('u1', { limit: 10, except: new Set(), nowMs });
  expect(stored.map(({ version }) => version)).toEqual(['v298', 'v299']);
});

test('the same channel and key keep their endpoint; another key gets another one', () => {
  const users = createAutopushUsers(db);
  const token = users.register('u2', 'c2', 'key');
  expect(users.register('u2', 'c2', 'key')).toBe(token);
  expect(users.register('u2', 'c2', 'other')).not.toBe(token);
});

test('FCM: more than 100 messages for an absent device drop all of them, expired ones do not count', () => {
  const devices = createFcmDevices(db);
  const token = devices.register();
  const store = (i: number, expiresMs: number, nowMs: number) =>
    devices.store(
      token,
      { messageId: `m${i}`, data: {}, collapseKey: undefined, ttlSeconds: 1, expiresMs },
      nowMs,
    );
  for (let i = 0; i < 60; i++) store(i, 1000, 0);
  for (let i = 60; i < 160; i++) store(i, 9000, 1000);
  expect(devices.stored(token, 1000)).toHaveLength(100);
  store(160, 9000, 1000);
  expect(devices.stored(token, 1000).map(({ messageId }) => messageId)).toEqual(['m160']);
});
