import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { Journal, type JournalEntry } from './journal.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = { alerts: 0, receipts: 0 };

let folder: string;
let path: string;
let journal: Journal;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  path = join(folder, 'journal.sqlite');
  journal = new Journal(path);
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

const id = (i: number) => String(i).padStart(32, '0');
function entry(i: number, more: Partial<JournalEntry> = {}): Omit<JournalEntry, 'seq'> {
  return {
    id: id(i),
    jws: `jws-${i}`,
    contentHash: 'h'.repeat(43),
    audience: 'public',
    receivedAtMs: 1_000,
    expiresAtMs: 1_000 + HOUR_MS,
    state: 'open',
    arrivals: ['bus'],
    ...more,
  };
}

function receipt(i: number, more: Partial<CompletionReceipt> = {}): CompletionReceipt {
  return {
    v: 1,
    alertId: id(i),
    transport: 'fcm',
    shard: 0,
    shards: 16,
    node: 'b',
    counts: { accepted: 1, gone: 0, rejected: 0, dropped: 0 },
    pending: [],
    revision: 0,
    at: '2026-07-14T20:31:07.000Z',
    ...more,
  };
}

function reopen(): void {
  journal.close();
  journal = new Journal(path);
}

test('what is inserted is read back whole, also by the next life', () => {
  journal.insert(entry(1));
  reopen();
  expect(journal.find(id(1))).toEqual({ seq: 1, ...entry(1) });
  expect(journal.find(id(2))).toBeUndefined();
});

test('the same id twice is a bug of the caller, and the first stays', () => {
  journal.insert(entry(1));
  expect(() => journal.insert(entry(1, { jws: 'other' }))).toThrow();
  expect(journal.find(id(1))?.jws).toBe('jws-1');
});

test('arrivals and states are kept', () => {
  journal.insert(entry(1));
  journal.noteArrival(id(1), ['bus', 'direct', 'peer']);
  journal.setState(id(1), 'done');
  reopen();
  expect(journal.find(id(1))).toMatchObject({ arrivals: ['bus', 'direct', 'peer'], state: 'done' });
});

test('open are public alerts that are not finished, in the order in which they came', () => {
  journal.insert(entry(2));
  journal.insert(entry(1));
  journal.insert(entry(3, { audience: 'canary' }));
  journal.insert(entry(4, { state: 'journaled' }));
  journal.insert(entry(5));
  journal.setState(id(5), 'cancelled');
  expect(journal.open().map((each) => each.id)).toEqual([id(2), id(1)]);
});

test('P3: what expired while the node was away is not open', () => {
  journal.insert(entry(1, { expiresAtMs: 5_000 }));
  journal.insert(entry(2, { expiresAtMs: 5_001 }));
  journal.insert(entry(3, { expiresAtMs: 4_000, state: 'done' }));
  journal.expireOpen(5_000);
  expect([1, 2, 3].map((i) => journal.find(id(i))?.state)).toEqual(['expired', 'open', 'done']);
});

test('P3: that an alert is ended is known before it comes, and after a restart', () => {
  expect(journal.isEnded(id(1))).toBe(false);
  journal.end(id(1), id(2), 1_000);
  journal.end(id(1), id(3), 1_000);
  reopen();
  expect(journal.isEnded(id(1))).toBe(true);
  expect(journal.isEnded(id(2))).toBe(false);
});

test('of one node and shard the newest receipt stays, whatever the order; others stand beside it', () => {
  expect(journal.addReceipt(receipt(1, { revision: 1 }))).toBe(true);
  expect(journal.addReceipt(receipt(1, { revision: 1, pending: ['p'.repeat(22)] }))).toBe(false);
  expect(journal.addReceipt(receipt(1, { revision: 0 }))).toBe(false);
  expect(journal.addReceipt(receipt(1, { revision: 7 }))).toBe(true);
  expect(journal.addReceipt(receipt(1, { shard: 1 }))).toBe(true);
  expect(journal.addReceipt(receipt(1, { node: 'c' }))).toBe(true);
  expect(journal.addReceipt(receipt(1, { transport: 'web-push' }))).toBe(true);
  expect(journal.addReceipt(receipt(2))).toBe(true);
  expect(
    journal.receiptsOf(id(1)).map((each) => [each.transport, each.shard, each.node, each.revision]),
  ).toEqual([
    ['fcm', 0, 'b', 7],
    ['fcm', 1, 'b', 0],
    ['fcm', 0, 'c', 0],
    ['web-push', 0, 'b', 0],
  ]);
});

/** Receipts that another reader of the file finds: what is committed, and no more. */
function committedReceipts(): number {
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    return Number(reader.prepare('SELECT count(*) AS n FROM receipts').get()?.['n']);
  } finally {
    reader.close();
  }
}

test('receipts are written together: with the next alert, before a peer reads them, or a moment later', async () => {
  journal.addReceipt(receipt(1, { shard: 0 }));
  journal.addReceipt(receipt(1, { shard: 1 }));
  expect(committedReceipts()).toBe(0);
  journal.insert(entry(1));
  expect(committedReceipts()).toBe(2);
  journal.addReceipt(receipt(1, { shard: 2 }));
  expect(journal.after(START).receipts).toHaveLength(3);
  expect(committedReceipts()).toBe(3);
  journal.addReceipt(receipt(1, { shard: 3 }));
  const deadlineMs = Date.now() + 5_000;
  while (committedReceipts() < 4 && Date.now() < deadlineMs) await setTimeout(5);
  expect(committedReceipts()).toBe(4);
  journal.addReceipt(receipt(1, { shard: 4 }));
  journal.close();
  expect(committedReceipts()).toBe(5);
  journal = new Journal(path);
});

test.each(['ROLLBACK', 'FAIL'])(
  'P1: receipts that cannot be written (%s) are lost and told of; the alerts after them are kept all the same',
  (how) => {
    journal.close();
    const lost: unknown[] = [];
    journal = new Journal(path, (error) => lost.push(error));
    const disk = new DatabaseSync(path);
    disk.exec(
      `CREATE TRIGGER full INSERT ON receipts WHEN NEW.shard = 1 BEGIN SELECT RAISE(${how}, 'full'); END`,
    );
    journal.addReceipt(receipt(1, { shard: 0 }));
    expect(journal.addReceipt(receipt(1, { shard: 1 }))).toBe(true);
    expect(lost).toHaveLength(1);
    journal.insert(entry(1));
    expect(journal.receiptsOf(id(1))).toEqual([]);
    disk.exec('DROP TRIGGER full');
    disk.close();
    journal.addReceipt(receipt(1, { shard: 1 }));
    journal.insert(entry(2));
    expect(committedReceipts()).toBe(1);
    expect(journal.open()).toHaveLength(2);
  },
);

test('peers read everything page by page, once, and hear of a newer receipt again; canaries are nobody else’s', () => {
  for (let i = 1; i <= 120; i++)
    journal.insert(entry(i, i % 3 === 0 ? { audience: 'canary' } : {}));
  for (let shard = 0; shard < 1_000; shard++) journal.addReceipt(receipt(1, { shard }));
  let cursor = START;
  const ids: string[] = [];
  const shards: number[] = [];
  for (let pages = 0; ; pages++) {
    const page = journal.after(cursor);
    if (page.cursor.alerts === cursor.alerts && page.cursor.receipts === cursor.receipts) break;
    expect(pages).toBeLessThan(20);
    cursor = page.cursor;
    ids.push(...page.entries.map((each) => each.id));
    shards.push(...page.receipts.map((each) => each.shard));
  }
  expect(ids).toEqual(
    Array.from({ length: 120 }, (_, i) => i + 1)
      .filter((i) => i % 3 !== 0)
      .map(id),
  );
  expect(shards).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
  expect(journal.after(cursor)).toEqual({ cursor, entries: [], receipts: [] });
  journal.addReceipt(receipt(1, { shard: 3, revision: 1 }));
  expect(journal.after(cursor).receipts).toEqual([receipt(1, { shard: 3, revision: 1 })]);
});

test('P12: a page fits into what a peer reads of an answer, however much is pending', () => {
  const pending = Array.from({ length: 2_000 }, (_, i) => String(i).padStart(22, 'p'));
  for (let shard = 0; shard < 300; shard++) journal.addReceipt(receipt(1, { shard, pending }));
  for (let i = 1; i <= 30; i++) journal.insert(entry(i, { jws: 'j'.repeat(500_000) }));
  let cursor = START;
  const found = { entries: 0, receipts: 0 };
  for (;;) {
    const page = journal.after(cursor);
    if (page.entries.length + page.receipts.length === 0) break;
    expect(JSON.stringify([page.entries, page.receipts]).length).toBeLessThan(4 * 1024 * 1024);
    cursor = page.cursor;
    found.entries += page.entries.length;
    found.receipts += page.receipts.length;
  }
  expect(found).toEqual({ entries: 30, receipts: 300 });
});

test('P12: what is past keeping goes: canaries after an hour, alerts after eight days with their receipts', () => {
  const nowMs = 100 * DAY_MS;
  journal.insert(entry(1, { expiresAtMs: nowMs - 8 * DAY_MS - 1 }));
  journal.insert(entry(2, { expiresAtMs: nowMs - 8 * DAY_MS }));
  journal.insert(entry(3, { expiresAtMs: nowMs - HOUR_MS - 1, audience: 'canary' }));
  journal.insert(entry(4, { expiresAtMs: nowMs - HOUR_MS, audience: 'canary' }));
  for (const i of [1, 2]) journal.addReceipt(receipt(i));
  journal.end(id(1), id(9), nowMs - 8 * DAY_MS - 1);
  journal.end(id(2), id(9), nowMs);
  journal.purge(nowMs);
  expect([1, 2, 3, 4].map((i) => journal.find(id(i)) !== undefined)).toEqual([
    false,
    true,
    false,
    true,
  ]);
  expect([1, 2].map((i) => journal.receiptsOf(id(i)).length)).toEqual([0, 1]);
  expect([1, 2].map((i) => journal.isEnded(id(i)))).toEqual([false, true]);
});

test('a number of the journal is never given twice, so that a peer’s cursor misses nothing after a purge', () => {
  journal.insert(entry(1, { expiresAtMs: 0 }));
  const { cursor } = journal.after(START);
  journal.purge(100 * DAY_MS);
  journal.insert(entry(2));
  expect(journal.after(cursor).entries.map((each) => each.id)).toEqual([id(2)]);
});

test('P1: a process that is killed loses nothing for which insert has returned', async () => {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '-e',
      `import { Journal } from ${JSON.stringify(new URL('./journal.ts', import.meta.url).href)};
       const journal = new Journal(${JSON.stringify(path)});
       const entry = ${JSON.stringify(entry(0))};
       for (let i = 1; ; i++) {
         journal.insert({ ...entry, id: String(i).padStart(32, '0') });
         process.stdout.write(i + '\\n');
       }`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last === 100) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  expect(last).toBeGreaterThanOrEqual(100);
  reopen();
  for (let i = 1; i <= last; i++) expect(journal.find(id(i))?.id).toBe(id(i));
});

test('P3: what goes back to a bus that lost it: valid public alerts, sent or not, and none that another one has ended', () => {
  journal.insert(entry(1, { expiresAtMs: 5_000 }));
  journal.insert(entry(2));
  journal.insert(entry(3, { state: 'done' }));
  journal.insert(entry(4, { state: 'journaled' }));
  journal.insert(entry(5, { audience: 'canary' }));
  journal.insert(entry(6, { state: 'cancelled' }));
  journal.insert(entry(7, { state: 'done' }));
  journal.end(id(7), id(8), 1_000);
  journal.insert(entry(8));
  expect(journal.valid(5_000, 10).map((each) => each.id)).toEqual([2, 3, 4, 8].map(id));
  expect(journal.valid(5_000, 2)).toHaveLength(2);
});
