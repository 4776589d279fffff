import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CopyCheck } from '../../shared/subscription/copy-check.ts';
import { checkCopy } from './check-copy.ts';
import { Registry } from './registry.ts';
import { activeRecord, testId } from './test-support/active-record.ts';

let folder: string;
let copy: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'copy-'));
  copy = join(folder, 'copy.sqlite');
  const registry = new Registry(join(folder, 'registry.sqlite'));
  const record = (i: number) =>
    i === 0
      ? activeRecord(testId(i), { areas: ['ZZ999'], probe: true })
      : activeRecord(testId(i), {
          areas: i % 3 === 0 ? ['13055', '06088'] : ['06088'],
          webPush: i % 2 === 0,
        });
  registry.apply(Array.from({ length: 300 }, (_, i) => ({ record: record(i) })));
  registry.apply([
    { record: { v: 1, state: 'removed', version: 2, deviceId: testId(1), reason: 'gone' } },
  ]);
  registry.markWhole(Date.now());
  await registry.copyTo(copy);
  registry.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

const change = (sql: string) => {
  const db = new DatabaseSync(copy);
  db.exec(sql);
  db.close();
};

test('a copy that is whole is counted by department and transport as alerts would be sent by it, and sampled', () => {
  const found = CopyCheck.parse(checkCopy(copy, Math.random));
  expect(found).toMatchObject({
    whole: true,
    devices: 299,
    removed: 1,
    departments: {
      '06': { fcm: 149, 'web-push': 149 },
      '13': { fcm: 50, 'web-push': 49 },
      '75': { fcm: 0, 'web-push': 0 },
    },
  });
  expect(found.whole && found.sample).toBeGreaterThanOrEqual(100);
});

test.each([
  ['a row says something else', "UPDATE devices SET record = replace(record, '06088', '13001')"],
  ['a row is missing', 'DELETE FROM devices WHERE n = 5'],
  ['somebody is not in the index of areas', 'DELETE FROM areas WHERE n = 7'],
  ['it never was whole', 'UPDATE state SET whole_since = NULL'],
])('a copy in which %s is not whole', (_what, sql) => {
  change(sql);
  expect(checkCopy(copy, Math.random)).toMatchObject({ whole: false });
});
