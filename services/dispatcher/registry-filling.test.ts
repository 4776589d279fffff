import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { reachOf } from '../../shared/alert/area.ts';
import { Registry } from './registry.ts';
import { runReplicaTask } from './replica-task.ts';
import { activeRecord, testId as id } from './test-support/active-record.ts';

let folder: string;
let path: string;
let registry: Registry;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'filling-'));
  path = join(folder, 'registry.sqlite');
  registry = new Registry(path);
});
afterEach(() => {
  registry.close();
  rmSync(folder, { recursive: true });
});

const active = (i: number, version = 1) =>
  activeRecord(id(i), { version, areas: ['06088', '06004'] });

const people = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    site: 'a',
    cursor: { created: 'x', sequence: from + i + 1 },
    record: active(from + i),
  }));
const found = () => {
  const at = { transport: 'fcm', shard: 0, shards: 1, after: '', limit: 10_000 } as const;
  return registry.page({ kind: 'public', reach: reachOf(['06088']) }, at).length;
};
/** What another process would find after a crash now. */
function afterCrash(): Registry {
  const copy = join(folder, 'crashed.sqlite');
  for (const suffix of ['', '-wal'])
    if (existsSync(`${path}${suffix}`)) cpSync(`${path}${suffix}`, `${copy}${suffix}`);
  return new Registry(copy);
}

test('who is being filled in is sent to at once; a crash before the end begins anew, silently; after it nothing is lost', async () => {
  registry.beginFilling();
  registry.apply(people(0, 300), true);
  registry.apply(people(300, 600), true);
  expect(found()).toBe(600);
  expect(registry.isFilling).toBe(true);
  const early = afterCrash();
  expect(early.rebuilt).toBe(false);
  expect(early.isNew).toBe(true);
  expect(early.size()).toBe(0);
  expect(early.cursor('a')).toBeUndefined();
  early.close();

  await registry.settle();
  expect(registry.isFilling).toBe(false);
  registry.apply(people(600, 700));
  const late = afterCrash();
  expect(late.isNew).toBe(false);
  expect(late.size()).toBe(700);
  expect(late.cursor('a')).toEqual({ created: 'x', sequence: 700 });
  late.close();
});

test.each([true, false])(
  'held changes are all lost with the one that fails, and whoever reads the streams is told (filling: %s)',
  (isFilling) => {
    if (isFilling) registry.beginFilling();
    else registry.apply(people(0, 10));
    const before = registry.size();
    let told = 0;
    registry.watchRollBack(() => told++);
    registry.apply(people(10, 20), true);
    expect(found()).toBe(before + 10);
    const { fileNumber } = registry;
    const broken = Object.assign(active(30), { version: {} });
    expect(() => registry.apply([{ record: active(29) }, { record: broken }], true)).toThrow();
    expect(told).toBe(1);
    expect(registry.size()).toBe(before);
    expect(found()).toBe(before);
    expect(registry.cursor('a')?.sequence).toBe(isFilling ? undefined : 10);
    expect(registry.fileNumber).not.toBe(fileNumber);
    registry.apply(people(10, 20), true);
    registry.commit();
    expect(found()).toBe(before + 10);
  },
);

test('held changes that cannot be committed are lost, and whoever reads the streams is told: nobody is passed over', () => {
  registry.apply(people(0, 10));
  let told = 0;
  registry.watchRollBack(() => told++);
  // As with a full disk: SQLite ends the transaction itself.
  const disk = new DatabaseSync(path);
  disk.exec("CREATE TRIGGER full UPDATE ON state BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END");
  registry.apply(people(10, 20), true);
  expect(() => registry.commit()).toThrow('disk full');
  expect(told).toBe(1);
  expect(registry.size()).toBe(10);
  expect(registry.cursor('a')?.sequence).toBe(10);
  expect(() => registry.apply(people(10, 20))).toThrow('disk full');
  expect(registry.size()).toBe(10);
  disk.exec('DROP TRIGGER full');
  disk.close();
  registry.apply(people(10, 20), true);
  registry.commit();
  expect(found()).toBe(20);
  expect(registry.size()).toBe(20);
});

test('a device keeps its row number through every change, also as a tombstone; a new file says that it numbers anew', () => {
  registry.apply(people(0, 3));
  const row = () => {
    const recipient = registry.recipient(id(1));
    return typeof recipient === 'object' ? recipient.row : undefined;
  };
  const first = row();
  expect(first).toBeGreaterThan(0);
  registry.apply([{ record: active(1, 2) }]);
  expect(row()).toBe(first);
  registry.apply([
    { record: { v: 1, state: 'removed', version: 3, deviceId: id(1), reason: 'gone' } },
  ]);
  registry.apply([{ record: active(50) }, { record: active(1, 4) }]);
  expect(row()).toBe(first);
  const { fileNumber } = registry;
  const other = new Registry(`${path}.filling`);
  other.apply(people(0, 3));
  other.close();
  registry.replaceBy(`${path}.filling`);
  expect(registry.fileNumber).not.toBe(fileNumber);
});

test('a long log is copied into the file and cut off, so that the commits after it start no thread; nothing is lost', async () => {
  const logBytes = () => statSync(`${path}-wal`).size;
  let written = 0;
  while (logBytes() < 16 * 1024 ** 2) {
    registry.apply(people(written, written + 500));
    written += 500;
  }
  const deadlineMs = Date.now() + 15_000;
  while (logBytes() > 100_000 && Date.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(logBytes()).toBeLessThan(100_000);
  expect(registry.logShortening).toBeUndefined();
  registry.apply(people(written, written + 10));
  const late = afterCrash();
  expect(late.size()).toBe(written + 10);
  late.close();
}, 30_000);

/** A whole replica of 400, copied for a peer. */
async function aCopy(): Promise<string> {
  registry.apply(people(0, 400));
  registry.apply([
    { record: { v: 1, state: 'removed', version: 9, deviceId: id(7), reason: 'gone' } },
  ]);
  registry.markWhole(1);
  const copy = join(folder, 'copy.sqlite');
  await registry.copyTo(copy);
  return copy;
}

test('a copy that is right is believed', async () => {
  await expect(runReplicaTask({ kind: 'verify', path: await aCopy() })).resolves.toBeUndefined();
});

const harms: readonly [string, string][] = [
  ['a device left out of an area', `DELETE FROM areas WHERE code = '06004' AND n = 5`],
  [
    'a device too many in an area',
    `INSERT INTO areas SELECT place, '75101', h, n FROM areas LIMIT 1`,
  ],
  ['an area for another one', `UPDATE areas SET code = '06005' WHERE code = '06004' AND n = 5`],
  ['a changed row', `UPDATE devices SET record = replace(record, 'fr-FR', 'en-GB') WHERE n = 5`],
  ['a row in another place', 'UPDATE devices SET place = place + 1 WHERE n = 5'],
  ['a row left out', 'DELETE FROM devices WHERE n = 5'],
  ['no word that it was whole', 'UPDATE state SET whole_since = NULL'],
  ['the marks of another version', 'PRAGMA user_version = 1'],
];
test.each(harms)('a copy with %s is not believed', async (_what, sql) => {
  const copy = await aCopy();
  const db = new DatabaseSync(copy);
  db.exec(sql);
  db.close();
  await expect(runReplicaTask({ kind: 'verify', path: copy })).rejects.toMatchObject({
    name: 'DamagedReplicaError',
  });
});

test('a copy with an overwritten page is not believed', async () => {
  const copy = await aCopy();
  const bytes = readFileSync(copy);
  bytes.fill(0xa5, bytes.length - 8_192, bytes.length - 4_096);
  writeFileSync(copy, bytes);
  await expect(runReplicaTask({ kind: 'verify', path: copy })).rejects.toMatchObject({
    name: 'DamagedReplicaError',
  });
});
