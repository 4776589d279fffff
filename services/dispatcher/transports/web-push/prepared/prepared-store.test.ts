import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFingerprint, FINGERPRINT_WORDS, type WebPushKeys } from './fingerprint.ts';
import { PreparedStore, SLOT_BYTES } from './prepared-store.ts';
import { RECORD_BYTES } from './record-layout.ts';
import { SlotIndex } from './slot-index.ts';

const keysOf = (n: number): WebPushKeys => ({
  p256dh: `B${String(n).padStart(86, 'x')}`,
  auth: `A${String(n).padStart(21, '-')}`,
});
const put = (store: PreparedStore, keys: WebPushKeys, record: Uint8Array): boolean => {
  const fingerprint = new Int32Array(FINGERPRINT_WORDS);
  return store.lacks(keys, fingerprint) && store.put(fingerprint, record);
};
const take = (store: PreparedStore, keys: WebPushKeys): Buffer | undefined => {
  const record = Buffer.alloc(RECORD_BYTES);
  return store.take(keys, record) ? record : undefined;
};

test('the store behaves like a map that gives each record once, in any order of steps', () => {
  const step = fc.record({
    action: fc.constantFrom('put', 'put', 'take', 'pass'),
    device: fc.nat({ max: 30 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const store = new PreparedStore(20);
      const model = new Map<number, Buffer>();
      for (const { action, device } of steps) {
        if (action === 'put') {
          const record = randomBytes(RECORD_BYTES);
          const fits = !model.has(device) && model.size < 20;
          expect(put(store, keysOf(device), record)).toBe(fits);
          if (fits) model.set(device, record);
        } else if (action === 'take') {
          expect(take(store, keysOf(device))).toEqual(model.get(device));
          model.delete(device);
        } else {
          // Half of the devices are still there.
          store.beginPass();
          for (const one of [...model.keys()])
            if (one < device) store.lacks(keysOf(one), new Int32Array(FINGERPRINT_WORDS));
            else model.delete(one);
          for (let from: number | undefined = 0; from !== undefined; ) from = store.sweep(from, 3);
        }
        expect(store.ready).toBe(model.size);
      }
      for (const [device, record] of model) expect(take(store, keysOf(device))).toEqual(record);
      expect(store.ready).toBe(0);
    }),
  );
});

test('20,000 records take 128 bytes each and at most 22 of index, and are all found', () => {
  const count = 20_000;
  const store = new PreparedStore(count);
  const record = Buffer.alloc(RECORD_BYTES);
  for (let n = 0; n < count; n++) {
    record.writeUInt32BE(n);
    expect(put(store, keysOf(n), record)).toBe(true);
  }
  expect(store.isFull).toBe(true);
  expect(SLOT_BYTES).toBe(128);
  expect(store.bytes / count).toBeLessThanOrEqual(128 * 1.03 + 22);
  for (let n = 0; n < count; n++) expect(take(store, keysOf(n))?.readUInt32BE()).toBe(n);
});

test('a record that was taken, swept or cleared is wiped', () => {
  const store = new PreparedStore(10);
  const records = [1, 2, 3].map(() => randomBytes(RECORD_BYTES));
  const holds = () => records.map((record) => store.holds(record.subarray(86)));
  const fill = () => {
    for (const [n, record] of records.entries()) put(store, keysOf(n), record);
  };
  fill();
  expect(take(store, keysOf(1))).toEqual(records[1]);
  expect(holds()).toEqual([true, false, true]);
  store.beginPass();
  store.lacks(keysOf(2), new Int32Array(FINGERPRINT_WORDS));
  expect(store.sweep(0, 100)).toBeUndefined();
  expect(holds()).toEqual([false, false, true]);
  fill();
  store.clear();
  expect(holds()).toEqual([false, false, false]);
  expect(store.ready).toBe(0);
});

test('two subscriptions with the same first word of the fingerprint keep their own records', () => {
  const store = new PreparedStore(10, ({ auth }, into) => {
    into.set([7, 8, Number(auth)]);
  });
  const [first, second] = [randomBytes(RECORD_BYTES), randomBytes(RECORD_BYTES)];
  put(store, { p256dh: '', auth: '1' }, first);
  put(store, { p256dh: '', auth: '2' }, second);
  expect(take(store, { p256dh: '', auth: '2' })).toEqual(second);
  expect(take(store, { p256dh: '', auth: '3' })).toBeUndefined();
  expect(take(store, { p256dh: '', auth: '1' })).toEqual(first);
});

const slotOf = (index: SlotIndex, tag: number): number => {
  const place = index.find(tag, () => true);
  return place < 0 ? -1 : index.slotAt(place);
};

test('the index finds what is in it and nothing else, when many fall on the same place too', () => {
  const step = fc.record({
    tag: fc.constantFrom(0, 1, 2, 15, 16, 31, -1),
    add: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = new SlotIndex(12);
      const model = new Map<number, number>();
      for (const { tag, add } of steps) {
        const slot = model.get(tag);
        if (add && slot === undefined) {
          const next = [...Array(12).keys()].find((n) => ![...model.values()].includes(n)) ?? 0;
          index.add(tag, next);
          model.set(tag, next);
        } else if (!add && slot !== undefined) {
          index.removeAt(index.find(tag, (other) => other === slot));
          model.delete(tag);
        }
        for (const one of [0, 1, 2, 15, 16, 31, -1])
          expect(slotOf(index, one)).toBe(model.get(one) ?? -1);
      }
    }),
  );
});

test('a fingerprint depends on every character of both keys, on where one ends, and on the seed', () => {
  const fingerprint = createFingerprint([1, 2]);
  const of = (keys: WebPushKeys, take = fingerprint): string => {
    const words = new Int32Array(FINGERPRINT_WORDS);
    take(keys, words);
    return words.join();
  };
  const keys = keysOf(12_345);
  const variants = [keys, { p256dh: `${keys.p256dh}A`, auth: keys.auth.slice(1) }];
  for (const name of ['p256dh', 'auth'] as const)
    for (let at = 0; at < keys[name].length; at++)
      variants.push({ ...keys, [name]: `${keys[name].slice(0, at)}_${keys[name].slice(at + 1)}` });
  expect(new Set(variants.map((one) => of(one))).size).toBe(variants.length);
  expect(of(keys, createFingerprint([1, 3]))).not.toBe(of(keys));
  expect(of({ ...keys })).toBe(of(keys));
});

test('fingerprints are spread: 50,000 similar keys have different words nearly everywhere', () => {
  const fingerprint = createFingerprint([3, 4]);
  const words = new Int32Array(FINGERPRINT_WORDS);
  const seen = [new Set<number>(), new Set<number>(), new Set<number>()];
  for (let n = 0; n < 50_000; n++) {
    fingerprint(keysOf(n), words);
    for (const [at, set] of seen.entries()) set.add(words[at] ?? 0);
  }
  // By chance 0.3 pairs of 50,000 are equal in 32 bits.
  for (const set of seen) expect(set.size).toBeGreaterThan(49_990);
});
