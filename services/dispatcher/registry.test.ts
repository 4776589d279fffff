import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { departmentOf, reachOf } from '../../shared/alert/area.ts';
import { type RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { finestShard } from '../../shared/subscription/shard.ts';
import { type RecipientFilter, Registry } from './registry.ts';
import { idHash } from './row-checksum.ts';
import { activeRecord as active, testId as id } from './test-support/active-record.ts';

let folder: string;
let path: string;
let registry: Registry;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registry-'));
  path = join(folder, 'registry.sqlite');
  registry = new Registry(path);
});
afterEach(() => {
  registry.close();
  rmSync(folder, { recursive: true });
});

const removed = (deviceId: string, version: number): RegistryRecord => ({
  v: 1,
  state: 'removed',
  version,
  deviceId,
  reason: 'gone',
});

function apply(...records: RegistryRecord[]): void {
  registry.apply(records.map((record) => ({ record })));
}

const everything = { transport: 'fcm', shard: 0, shards: 1, after: '', limit: 1_000 } as const;
const forAreas = (...codes: string[]): RecipientFilter => ({
  kind: 'public',
  reach: reachOf(codes),
});
const idsFor = (filter: RecipientFilter, transport: 'fcm' | 'web-push' = 'fcm') =>
  registry.page(filter, { ...everything, transport }).map((each) => each.deviceId);

test('a recipient is what the device registered', () => {
  apply(active(id(1), { language: 'en-GB' }));
  const recipient = {
    deviceId: id(1),
    address: { transport: 'fcm', token: `token-of-${id(1)}-v1` },
    language: 'en-GB',
    isProbe: false,
    row: 1,
  };
  expect(registry.page(forAreas('06088'), everything)).toEqual([recipient]);
  expect(registry.recipient(id(1))).toEqual(recipient);
});

test('of one device’s records the highest version wins, whatever the order and the site', () => {
  const records = [
    active(id(1), { version: 1, areas: ['06088'] }),
    active(id(1), { version: 2, areas: ['06004'], webPush: true }),
    removed(id(1), 3),
    active(id(1), { version: 4, areas: ['75101'] }),
  ];
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...records, ...records], { minLength: 1 }),
      fc.integer({ min: 1, max: 4 }),
      (order, batch) => {
        const replica = new Registry(':memory:');
        for (let i = 0; i < order.length; i += batch)
          replica.apply(
            order.slice(i, i + batch).map((record, j) => ({ record, site: j % 2 ? 'a' : 'b' })),
          );
        const best = order.reduce((a, b) => (b.version > a.version ? b : a));
        expect(replica.version(id(1))).toBe(best.version);
        expect(replica.size()).toBe(best.state === 'active' ? 1 : 0);
        expect(replica.recipient(id(1))).toEqual(
          best.state === 'active'
            ? expect.objectContaining({ address: best.subscription.address })
            : undefined,
        );
        const heard = ['06088', '06004', '75101'].filter((code) =>
          (['fcm', 'web-push'] as const).some(
            (transport) => replica.count(forAreas(code), transport, false) > 0,
          ),
        );
        expect(heard).toEqual(best.state === 'active' ? best.subscription.areaCodes : []);
        replica.close();
      },
    ),
  );
});

test('P9: a tombstone takes the device out of everything, and an older registration does not bring it back', () => {
  apply(
    active(id(1)),
    active(id(2), { probe: true, areas: ['ZZ999'] }),
    removed(id(1), 5),
    removed(id(2), 5),
  );
  apply(
    active(id(1), { version: 5 }),
    active(id(2), { version: 4, probe: true, areas: ['ZZ999'] }),
  );
  expect(registry.size()).toBe(0);
  expect(idsFor(forAreas('06088'))).toEqual([]);
  expect(idsFor({ kind: 'probes', deviceIds: [id(2)] })).toEqual([]);
  expect(registry.recipient(id(1))).toBeUndefined();
  expect(registry.version(id(1))).toBe(5);
});

test('P2: a commune, its department, a city and its arrondissements reach whom they should', () => {
  const subscribers: [string, string[]][] = [
    ['nice', ['06088']],
    ['antibes', ['06004']],
    ['department', ['06']],
    ['paris', ['75056']],
    ['paris1', ['75101']],
    ['paris2', ['75102']],
    ['many', ['06088', '06004', '06', '75101']],
    ['corsica', ['2A004']],
  ];
  apply(...subscribers.map(([name, areas]) => active(id(name), { areas })));
  const heard = (...codes: string[]) => {
    const ids = idsFor(forAreas(...codes));
    expect(registry.count(forAreas(...codes), 'fcm', false)).toBe(ids.length);
    return subscribers.map(([name]) => name).filter((name) => ids.includes(id(name)));
  };
  expect(heard('06088')).toEqual(['nice', 'department', 'many']);
  expect(heard('06')).toEqual(['nice', 'antibes', 'department', 'many']);
  expect(heard('75056')).toEqual(['paris', 'paris1', 'paris2', 'many']);
  expect(heard('75101')).toEqual(['paris', 'paris1', 'many']);
  expect(heard('2A')).toEqual(['corsica']);
  expect(heard('06088', '75102')).toEqual(['nice', 'department', 'paris', 'paris2', 'many']);
  expect(heard('13055')).toEqual([]);
});

test('P2: however many areas an alert names, it finds the same people: by looking them up, by their areas, or by walking through all', () => {
  const departments = Array.from({ length: 95 }, (_, i) => String(i + 1).padStart(2, '0')).filter(
    (each) => each !== '20',
  );
  const communes = departments.flatMap((each) => [`${each}001`, `${each}002`, `${each}003`]);
  const homes = [...departments, ...communes, '97411', '2A004', '971', 'ZZ999'];
  apply(
    ...homes.map((code, i) =>
      active(id(i), { areas: i % 3 ? [code] : [code, '33063', '06088'], probe: code === 'ZZ999' }),
    ),
  );
  const some = (from: readonly string[]) => fc.subarray([...from], { minLength: 1 });
  const many = [...communes, ...communes.map((code) => code.replace('00', '10'))];
  fc.assert(
    fc.property(
      fc.oneof(some(departments), some(many), some([...departments, '971', '974']), some(homes)),
      fc.integer({ min: 1, max: 60 }),
      (codes, limit) => {
        const { codes: wanted, departments: reached } = reachOf(codes);
        const expected = homes
          .map((code, i) => [id(i), i % 3 ? [code] : [code, '33063', '06088']] as const)
          .filter(
            ([deviceId, areas]) =>
              deviceId === id(homes.length - 1) ||
              areas.some((area) => wanted.includes(area) || reached.includes(departmentOf(area))),
          )
          .map(([deviceId]) => deviceId);
        const found: string[] = [];
        for (;;) {
          const after = found.at(-1) ?? '';
          const page = registry.page(forAreas(...codes), { ...everything, after, limit });
          found.push(...page.map(({ deviceId }) => deviceId));
          if (page.length < limit) break;
        }
        expect(found.toSorted()).toEqual(expected.toSorted());
        expect(registry.count(forAreas(...codes), 'fcm', true)).toBe(expected.length);
        const people = expected.filter((each) => each !== id(homes.length - 1));
        const isProbeMeant =
          codes.includes('ZZ999') || codes.includes('06') || codes.includes('33');
        if (!isProbeMeant)
          expect(registry.count(forAreas(...codes), 'fcm', false)).toBe(people.length);
      },
    ),
    { numRuns: 60 },
  );
});

test('every public alert goes to all probes too; the count for people leaves them out', () => {
  apply(
    active(id(1)),
    active(id(2), { probe: true, areas: ['ZZ999'] }),
    active(id(3), { probe: true, areas: ['ZZ999'], webPush: true }),
  );
  expect(idsFor(forAreas('06088'))).toEqual([id(1), id(2)]);
  expect(idsFor(forAreas('06088'), 'web-push')).toEqual([id(3)]);
  expect(registry.count(forAreas('06088'), 'fcm', false)).toBe(1);
  expect(registry.count(forAreas('06088'), 'fcm', true)).toBe(2);
});

test('P6: a canary reaches the probes that it names and nobody else, even if it names people', () => {
  apply(
    active(id(1)),
    active(id(2), { areas: ['06088'] }),
    active(id(3), { probe: true, areas: ['ZZ999'] }),
    active(id(4), { probe: true, areas: ['ZZ999'] }),
  );
  const filter: RecipientFilter = { kind: 'probes', deviceIds: [id(1), id(2), id(3), id(9)] };
  expect(idsFor(filter)).toEqual([id(3)]);
  expect(registry.count(filter, 'fcm', true)).toBe(1);
  expect(idsFor({ kind: 'probes', deviceIds: [] })).toEqual([]);
});

test('P6: a canary never reaches more than 50', () => {
  const probes = Array.from({ length: 60 }, (_, i) => id(i));
  apply(...probes.map((deviceId) => active(deviceId, { probe: true, areas: ['ZZ999'] })));
  expect(idsFor({ kind: 'probes', deviceIds: probes })).toHaveLength(50);
});

test('P2: pages over all shards give everybody exactly once, however an alert is cut', () => {
  const ids = Array.from({ length: 700 }, (_, i) => id(i));
  apply(
    ...ids.map((deviceId, i) =>
      active(deviceId, { areas: i % 2 ? ['06088', '06004', '06'] : ['06'], probe: i % 50 === 0 }),
    ),
  );
  for (const shards of [1, 4, 1024]) {
    const found: string[] = [];
    for (let shard = 0; shard < shards; shard++) {
      let after = '';
      for (;;) {
        const page = registry.page(forAreas('06'), {
          transport: 'fcm',
          shard,
          shards,
          after,
          limit: 30,
        });
        expect(page.length).toBeLessThanOrEqual(30);
        for (const { deviceId } of page)
          expect(Math.floor(finestShard(deviceId) / (1024 / shards))).toBe(shard);
        found.push(...page.map((each) => each.deviceId));
        expect(found.length).toBeLessThanOrEqual(ids.length);
        const last = page.at(-1);
        if (!last) break;
        after = last.deviceId;
      }
    }
    expect(found.sort()).toEqual(ids);
  }
});

/** Two ids with the same 48 bits of SHA-1 in the same place, found by trying: a chance of 1 in 500,000 at a million. */
const TWINS = [id('4327049425'), id('13124812722')];
const wideReach = Array.from({ length: 40 }, (_, i) => String(i + 21));
const twinFilters: readonly [string, RecipientFilter][] = [
  ['an area', forAreas('33063')],
  ['most of the country', forAreas(...wideReach)],
  ['probes', { kind: 'probes', deviceIds: [...TWINS, id(1), id(2)] }],
];

// Seen to fail: with pages that end at their limit, the second one is passed over in the file that took the first one's place.
test.each(twinFilters)(
  'P2: of two ids that share a hash none is left out at the border of a page, nor when the file changes there (%s)',
  (_what, filter) => {
    const [first = '', second = ''] = TWINS;
    expect(new Set(TWINS.map((each) => `${idHash(each)} ${finestShard(each)}`)).size).toBe(1);
    const facts = { areas: ['33063', '33'], probe: true };
    const others = [id(1), id(2)];
    const other = new Registry(':memory:');
    apply(...[first, second, ...others].map((deviceId) => active(deviceId, facts)));
    other.apply(
      [...others, second, first].map((deviceId) => ({ record: active(deviceId, facts) })),
    );
    for (const [here, there] of [
      [registry, registry],
      [registry, other],
      [other, registry],
    ] as const) {
      const found: string[] = [];
      for (let turn = 0; turn < 5; turn++) {
        const at = { ...everything, after: found.at(-1) ?? '', limit: 1 };
        found.push(...(turn % 2 ? there : here).page(filter, at).map(({ deviceId }) => deviceId));
      }
      expect(found.toSorted()).toEqual([...TWINS, ...others].toSorted());
      const walked: RegistryRecord[] = [];
      let after: string | undefined = '';
      for (let turn = 0; turn < 5 && after !== undefined; turn++) {
        const page: ReturnType<Registry['goodRecords']> = (turn % 2 ? there : here).goodRecords(
          after,
          1,
        );
        walked.push(...page.records);
        after = page.last;
      }
      expect(walked.map(recordDeviceId).toSorted()).toEqual([...TWINS, ...others].toSorted());
    }
    expect(TWINS.map((each) => other.recipient(each))).toEqual(
      TWINS.map((deviceId) => expect.objectContaining({ deviceId })),
    );
    other.close();
  },
);

test('cursors move with their records, per site, and a batch that fails moves nothing', () => {
  registry.apply([
    { site: 'a', cursor: { created: 'x', sequence: 5 }, record: active(id(1)) },
    { site: 'b', cursor: { created: 'y', sequence: 7 }, record: undefined },
  ]);
  const broken = active(id(2));
  Object.assign(broken, { version: {} });
  expect(() =>
    registry.apply([
      { site: 'a', cursor: { created: 'x', sequence: 6 }, record: active(id(3)) },
      { site: 'a', cursor: { created: 'x', sequence: 7 }, record: broken },
    ]),
  ).toThrow();
  expect(registry.cursor('a')).toEqual({ created: 'x', sequence: 5 });
  expect(registry.cursor('b')).toEqual({ created: 'y', sequence: 7 });
  expect(registry.cursor('c')).toBeUndefined();
  expect(registry.size()).toBe(1);
});

test('the next life has it all, and knows that nothing was lost', () => {
  apply(active(id(1)));
  registry.apply([{ site: 'a', cursor: { created: 'x', sequence: 5 }, record: undefined }]);
  registry.close();
  registry = new Registry(path);
  expect(registry.rebuilt).toBe(false);
  expect(registry.size()).toBe(1);
  expect(registry.cursor('a')).toEqual({ created: 'x', sequence: 5 });
});

test('a file that is corrupt is set aside, and the new one is filled from the start of every stream', () => {
  apply(active(id(1)));
  registry.apply([{ site: 'a', cursor: { created: 'x', sequence: 5 }, record: undefined }]);
  registry.close();
  writeFileSync(path, Buffer.alloc(20_000, 'not a database '));
  registry = new Registry(path);
  expect(registry.rebuilt).toBe(true);
  expect(existsSync(`${path}.corrupt`)).toBe(true);
  expect(registry.size()).toBe(0);
  expect(registry.cursor('a')).toBeUndefined();
  apply(active(id(1)));
  expect(idsFor(forAreas('06088'))).toEqual([id(1)]);
});

test('a record comes back whole, as a stream that lost it needs it: version, probe, secret, last heard; and so does a tombstone', () => {
  const secretHash = 'h'.repeat(43);
  const one = { ...active(id(1), { version: 7, areas: ['06029', '06088'], webPush: true }) };
  const records = [
    { ...one, secretHash } as RegistryRecord,
    active(id(2), { probe: true, areas: ['ZZ999'] }),
    removed(id(3), 9),
  ];
  registry.apply(records.map((record) => ({ record })));
  expect(registry.rows()).toBe(3);
  expect(registry.size()).toBe(2);
  const first = registry.goodRecords('', 2);
  const rest = registry.goodRecords(first.last ?? '', 2);
  expect(first.records).toHaveLength(2);
  expect(rest.last).toBeUndefined();
  const byId = (a: RegistryRecord, b: RegistryRecord) =>
    recordDeviceId(a) < recordDeviceId(b) ? -1 : 1;
  expect([...first.records, ...rest.records].sort(byId)).toEqual(records);
});

test('only a copy of the right version is opened as it is: another one is set aside and nothing of it is served', () => {
  apply(active(id(1)));
  registry.close();
  const other = new DatabaseSync(path);
  other.exec('PRAGMA user_version = 1');
  other.close();
  registry = new Registry(path);
  expect(registry.rebuilt).toBe(true);
  expect(registry.isNew).toBe(true);
  expect(registry.wasWhole).toBe(false);
  expect(registry.size()).toBe(0);
  expect(existsSync(`${path}.corrupt`)).toBe(true);
});

test('a file that somebody else holds is not damaged: it cannot be opened now, and stays where it is', () => {
  apply(active(id(1)));
  registry.close();
  const other = new DatabaseSync(path);
  other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  expect(() => new Registry(path)).toThrow(/locked/);
  other.exec('ROLLBACK');
  other.close();
  expect(existsSync(`${path}.corrupt`)).toBe(false);
  registry = new Registry(path);
  expect(registry.size()).toBe(1);
  expect(registry.rebuilt).toBe(false);
});

test.each([0, 1_000, 4_096, 60_000])('a file cut off after %d bytes is read anew', (bytes) => {
  apply(...Array.from({ length: 500 }, (_, i) => active(id(i))));
  registry.markWhole(1);
  registry.close();
  truncateSync(path, bytes);
  registry = new Registry(path);
  expect(registry.isNew).toBe(true);
  expect(registry.wasWhole).toBe(false);
  expect(registry.size()).toBe(0);
});

/** Flips a bit of every `token-of-<id>` in the file, as a bad disk would. */
function damage(deviceId: string): void {
  registry.close();
  const bytes = readFileSync(path);
  const needle = Buffer.from(`token-of-${deviceId}`);
  let at = bytes.indexOf(needle);
  expect(at).toBeGreaterThan(0);
  for (; at >= 0; at = bytes.indexOf(needle, at + 1)) bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  registry = new Registry(path);
}

test('one bit of a row: nothing is sent by it, everybody else is served, also on the pages behind it, and the file is not trusted again', () => {
  const ids = Array.from({ length: 50 }, (_, i) => id(i));
  apply(...ids.map((deviceId) => active(deviceId)));
  const inOrder = idsFor(forAreas('06088'));
  const [first = '', ...others] = inOrder;
  damage(first);
  expect(registry.damaged).toBe(false);
  const found: string[] = [];
  registry.watchDamage((what) => found.push(what));
  const page = registry.page(forAreas('06088'), { ...everything, limit: 10 });
  expect(page.map(({ deviceId }) => deviceId)).toEqual(others.slice(0, 10));
  expect(registry.damaged).toBe(true);
  expect(found).toEqual(['a row fails its checksum']);
  expect(registry.recipient(first)).toBe('damaged');
  expect(registry.recipient(others[0] ?? '')).toMatchObject({ deviceId: others[0] });
  expect(registry.goodRecords('', 100).records).toHaveLength(49);
  registry.close();
  registry = new Registry(path);
  expect(registry.damaged).toBe(true);
  expect(registry.size()).toBe(50);
});

test('damage is found before an alert needs the row: each row and its places in the indexes are looked at in turn', () => {
  apply(...Array.from({ length: 30 }, (_, i) => active(id(i), { areas: ['06088', '06004'] })));
  expect(registry.scrub(20)).toBe(20);
  expect(registry.scrub(20)).toBe(10);
  expect(registry.damaged).toBe(false);
  registry.close();
  const db = new DatabaseSync(path);
  db.exec(
    `DELETE FROM areas WHERE code = '06004' AND n = (SELECT n FROM devices WHERE record LIKE '${id(25)}%')`,
  );
  db.close();
  registry = new Registry(path);
  registry.scrub(20);
  expect(registry.damaged).toBe(false);
  registry.scrub(20);
  expect(registry.damaged).toBe(true);
});

test('a filled file takes the place of a damaged one, which is set aside; the next life trusts it', () => {
  apply(active(id(1)), active(id(2)));
  damage(id(1));
  registry.scrub(10);
  expect(registry.damaged).toBe(true);
  const other = new Registry(`${path}.filling`);
  other.apply([{ record: active(id(1)) }, { record: active(id(2)) }]);
  other.markWhole(1);
  other.close();
  registry.replaceBy(`${path}.filling`);
  expect(registry.damaged).toBe(false);
  expect(registry.recipient(id(1))).toMatchObject({ deviceId: id(1) });
  expect(existsSync(`${path}.corrupt`)).toBe(true);
  expect(existsSync(`${path}.filling`)).toBe(false);
  registry.close();
  registry = new Registry(path);
  expect(registry.damaged).toBe(false);
  expect(registry.wasWhole).toBe(true);
  expect(registry.size()).toBe(2);
});

test('when the filled file cannot take its place, a new one is begun: it can be filled, and is not whole', () => {
  apply(active(id(1)), active(id(2)));
  damage(id(1));
  registry.scrub(10);
  expect(() => registry.replaceBy(`${path}.not-there`)).toThrow();
  expect(registry.size()).toBe(0);
  expect(registry.isNew).toBe(true);
  expect(existsSync(`${path}.corrupt`)).toBe(true);
});

test('tombstones are forgotten a month later, some at a time; people never are', () => {
  const monthMs = 30 * 24 * 3600 * 1000;
  apply(
    active(id(1), { version: 5 }),
    removed(id(2), 10),
    removed(id(3), 20),
    removed(id(4), monthMs),
  );
  expect(registry.rows()).toBe(4);
  expect(registry.purgeTombstones(monthMs, 1)).toBe(1);
  expect(registry.version(id(2))).toBe(0);
  expect(registry.purgeTombstones(monthMs, 10)).toBe(1);
  expect(registry.purgeTombstones(monthMs, 10)).toBe(0);
  expect(registry.purged).toBe(2);
  expect(registry.version(id(4))).toBe(monthMs);
  expect(registry.rows()).toBe(2);
  expect(registry.size()).toBe(1);
  registry.close();
  registry = new Registry(path);
  expect(registry.rows()).toBe(2);
  expect(registry.purged).toBe(2);
});
