import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import { checkedRow, idHash, rowChecksum } from './row-checksum.ts';
import {
  codesIn,
  codesOf,
  decodeRecipient,
  decodeRecord,
  deviceIdOf,
  encodeRecord,
  isProbeText,
} from './row-format.ts';

const text = (minLength = 1) => fc.string({ minLength, maxLength: 30, unit: 'grapheme' });
const time = fc.oneof(
  fc
    .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc.constantFrom('2026-07-14T20:00:00Z', '1969-12-31T23:59:59.999Z', '2026-07-14T20:00:00.1234Z'),
);
const address = fc.oneof(
  text().map((token) => ({ transport: 'fcm' as const, token })),
  fc.record({ endpoint: text(), p256dh: text(), auth: text() }).map(({ endpoint, ...keys }) => ({
    transport: 'web-push' as const,
    endpoint,
    keys,
  })),
);
const deviceId = fc.stringMatching(/^[A-Za-z0-9_-]{22}$/);
const activeRecord: fc.Arbitrary<RegistryRecord> = fc
  .record({
    version: fc.integer({ min: 1, max: 2 ** 50 }),
    probe: fc.boolean(),
    lastHeardAt: time,
    subscription: fc.record({
      deviceId,
      address,
      areaCodes: fc.array(fc.constantFrom('06', '06088', '2A004', '97411'), {
        minLength: 1,
        maxLength: 5,
      }),
      language: fc.constantFrom('fr-FR', 'en-GB'),
      appVersion: text(0),
    }),
    secretHash: fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{43}$/), { nil: undefined }),
  })
  .map(({ secretHash, ...rest }) => ({
    v: 1,
    state: 'active',
    ...rest,
    ...(secretHash === undefined ? {} : { secretHash }),
  }));
const tombstone: fc.Arbitrary<RegistryRecord> = fc.record({
  v: fc.constant(1 as const),
  state: fc.constant('removed' as const),
  version: fc.integer({ min: 1, max: 2 ** 50 }),
  deviceId,
  reason: fc.constantFrom('gone' as const, 'unsubscribed' as const),
});

test('every record comes back from its row as it was, and so does what an alert needs of it', () => {
  fc.assert(
    fc.property(fc.oneof(activeRecord, tombstone), (record) => {
      const row = encodeRecord(record);
      expect(decodeRecord(row, record.version)).toEqual(record);
      expect(new Set(codesIn(row))).toEqual(new Set(codesOf(record)));
      if (record.state === 'removed') {
        expect(deviceIdOf(row)).toBe(record.deviceId);
        return;
      }
      const { deviceId: id, address: to, language } = record.subscription;
      expect(deviceIdOf(row)).toBe(id);
      expect(isProbeText(row)).toBe(record.probe);
      expect(decodeRecipient(row, 7)).toEqual({
        deviceId: id,
        address: to,
        language,
        isProbe: record.probe,
        row: 7,
      });
    }),
  );
});

test('a field with a line break in it is kept too', () => {
  const [record] = fc.sample(activeRecord, 1);
  if (record?.state !== 'active') throw new Error('no record');
  const odd = {
    ...record,
    version: 5,
    subscription: { ...record.subscription, appVersion: 'a\nb' },
  };
  expect(() => encodeRecord(odd)).not.toThrow();
  expect(encodeRecord(odd).startsWith('{')).toBe(true);
  expect(
    deviceIdOf(
      '{"v":1,"state":"removed","version":1,"deviceId":"device-000000000000001","reason":"gone"}',
    ),
  ).toBe('device-000000000000001');
});

test('whatever one value of a row is changed to, its checksum tells', () => {
  const row = {
    n: 3,
    h: idHash('device-000000000000001'),
    version: 1_800_000_000_000,
    place: 1_500,
    record: 'abc',
  };
  const good: unknown[] = [row.n, row.h, row.version, row.place, row.record, rowChecksum(row)];
  expect(checkedRow(good)).toMatchObject(row);
  expect(checkedRow(['x', 'y', ...good], 2)).toMatchObject(row);
  const bit = fc.integer({ min: 0, max: 47 });
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 3), bit, (column, at) => {
      const bad = [...good];
      bad[column] = Number(BigInt(Number(good[column])) ^ (1n << BigInt(at)));
      expect(checkedRow(bad)).toBeUndefined();
    }),
  );
  for (const [column, value] of [
    [4, 'abd'],
    [4, null],
    [5, null],
    [1, null],
    [3, null],
    [0, null],
  ] as const)
    expect(checkedRow(good.with(column, value))).toBeUndefined();
});
