import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from '@jest/globals';
import { type NewEntry, Outbox } from './outbox.ts';

const folder = mkdtempSync(join(tmpdir(), 'outbox-'));
afterAll(() => rmSync(folder, { recursive: true }));

const HOUR = 3_600_000;
const NOW = Date.parse('2026-07-14T20:31:07Z');
const entry = (changes: Partial<NewEntry> = {}): NewEntry => ({
  id: 'id-1',
  contentHash: 'hash',
  audience: 'public',
  sender: 'pref06@alerte.example',
  identifier: 'nice-1',
  msgType: 'Alert',
  apiKeyId: 'pref06',
  jws: 'a.b.c',
  expiresAtMs: NOW + HOUR,
  nowMs: NOW,
  references: [],
  targets: ['bus:a', 'bus:b', 'edge:a/a'],
  idempotency: undefined,
  ...changes,
});
const owed = (outbox: Outbox, target: string, nowMs = NOW) =>
  outbox.owedTo(target, nowMs, nowMs, 10).map(({ id }) => id);

test('P1: what lags after a 202 is owed until it is acknowledged, also by a new process', () => {
  const path = join(folder, 'lagging.sqlite');
  const before = new Outbox(path);
  before.add(entry());
  expect(owed(before, 'bus:b')).toEqual([]);
  before.settleLane('id-1', 'bus:a', 'done', NOW);
  before.accept('id-1', '{"answer":1}', NOW);
  before.close();
  const after = new Outbox(path);
  expect(owed(after, 'bus:a')).toEqual([]);
  expect(owed(after, 'bus:b')).toEqual(['id-1']);
  expect(after.find('id-1')).toMatchObject({ state: 'accepted', answer: '{"answer":1}' });
  after.settleLane('id-1', 'bus:b', 'done', NOW);
  expect(owed(after, 'bus:b')).toEqual([]);
  after.close();
});

test('P3: nothing is owed of what has expired, was refused, or conflicts', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry());
  outbox.accept('id-1', '{}', NOW);
  outbox.settleLane('id-1', 'edge:a/a', 'conflict', NOW);
  outbox.add(entry({ id: 'id-2' }));
  outbox.refuse('id-2');
  expect(owed(outbox, 'edge:a/a')).toEqual([]);
  expect(owed(outbox, 'bus:a')).toEqual(['id-1']);
  expect(owed(outbox, 'bus:a', NOW + HOUR)).toEqual([]);
  outbox.close();
});

test('a refused message that its author repeats is sent again to everybody', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry());
  outbox.settleLane('id-1', 'bus:a', 'done', NOW);
  outbox.refuse('id-1');
  outbox.add(entry());
  outbox.accept('id-1', '{}', NOW);
  expect(owed(outbox, 'bus:a')).toEqual(['id-1']);
  outbox.close();
});

test('P1: a send that a crash interrupted goes on where somebody has it, and is left to its author where nobody does', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry({ id: 'somebody' }));
  outbox.settleLane('somebody', 'bus:a', 'done', NOW);
  outbox.add(entry({ id: 'nobody' }));
  outbox.add(entry({ id: 'edge-only' }));
  outbox.settleLane('edge-only', 'edge:a/a', 'done', NOW);
  expect(outbox.settleInterrupted(NOW)).toEqual({ resumed: 1, dropped: 2 });
  expect(owed(outbox, 'bus:b')).toEqual(['somebody']);
  expect(outbox.settleInterrupted(NOW)).toEqual({ resumed: 0, dropped: 0 });
  outbox.close();
});

test('an Idempotency-Key belongs to its API key and keeps its first meaning', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry({ idempotency: { apiKeyId: 'pref06', key: 'k', requestHash: 'r1' } }));
  outbox.remember({ apiKeyId: 'pref06', key: 'k', requestHash: 'r2' }, 'id-1');
  expect(outbox.idempotentRequest('pref06', 'k')).toEqual({ requestHash: 'r1', alertId: 'id-1' });
  expect(outbox.idempotentRequest('pref13', 'k')).toBeUndefined();
  outbox.close();
});

test('what refers to an alert is found by it', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry());
  outbox.add(entry({ id: 'u', msgType: 'Update', references: ['id-1'], nowMs: NOW + 1 }));
  outbox.add(entry({ id: 'c', msgType: 'Cancel', references: ['id-1', 'u'], nowMs: NOW + 2 }));
  expect(outbox.followUps('id-1').map(({ id }) => id)).toEqual(['u', 'c']);
  expect(outbox.followUps('u').map(({ id }) => id)).toEqual(['c']);
  outbox.close();
});

test('P12: old entries are forgotten with all that hangs on them, canaries first', () => {
  const outbox = new Outbox(':memory:');
  outbox.add(entry({ idempotency: { apiKeyId: 'pref06', key: 'k', requestHash: 'r' } }));
  outbox.add(entry({ id: 'canary', audience: 'canary' }));
  expect(outbox.purge(NOW + 2 * HOUR)).toBe(0);
  expect(outbox.purge(NOW + 2 * HOUR + 1)).toBe(1);
  expect(outbox.find('id-1')).toBeDefined();
  expect(outbox.purge(NOW + 8 * 24 * HOUR + 1)).toBe(1);
  expect(outbox.idempotentRequest('pref06', 'k')).toBeUndefined();
  outbox.close();
});

test('P12: there are never more than so many, the youngest', () => {
  const outbox = new Outbox(':memory:');
  for (const i of [1, 2, 3]) outbox.add(entry({ id: `id-${i}`, nowMs: NOW + i }));
  expect(outbox.purge(NOW + 10, 2)).toBe(1);
  expect(outbox.find('id-1')).toBeUndefined();
  expect(outbox.find('id-2')).toBeDefined();
  outbox.close();
});

test('a record holds when each lane had it; an outbox of a version that did not note that goes on', () => {
  const path = join(folder, 'older.sqlite');
  const older = new DatabaseSync(path);
  older.exec(
    'CREATE TABLE lanes (alert_id TEXT NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (alert_id, target)) STRICT, WITHOUT ROWID',
  );
  older.exec("INSERT INTO lanes VALUES ('old', 'bus:a', 'done')");
  older.close();
  const outbox = new Outbox(path);
  outbox.add(entry());
  outbox.settleLane('id-1', 'bus:b', 'done', NOW + 20);
  outbox.accept('id-1', '{"answer":1}', NOW + 30);
  expect(outbox.record('id-1')).toMatchObject({
    createdAtMs: NOW,
    answeredAtMs: NOW + 30,
    lanes: [
      { target: 'bus:a', state: 'open', settledAtMs: undefined },
      { target: 'edge:a/a', state: 'open', settledAtMs: undefined },
      { target: 'bus:b', state: 'done', settledAtMs: NOW + 20 },
    ],
  });
  expect(outbox.record('nobody')).toBeUndefined();
  outbox.close();
});
