import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StreamSlots } from './stream-slots.ts';

const post = {
  path: '/',
  headers: {},
  body: new Uint8Array(),
  signal: new AbortController().signal,
};

test('ids are odd and grow; a stream that stays open is never confused with a later one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(7), { minLength: 200, maxLength: 400 }), (closings) => {
      const slots = new StreamSlots(8);
      const open: { id: number; slot: number; request: number }[] = [];
      let lastId = -1;
      for (const [request, which] of closings.entries()) {
        const slot = slots.open(request, post, 65_535);
        const id = slots.idOf(slot);
        expect(id % 2).toBe(1);
        expect(id).toBeGreaterThan(lastId);
        lastId = id;
        open.push({ id, slot, request });
        for (const each of open) {
          expect(slots.find(each.id)).toBe(each.slot);
          expect(slots.requests[each.slot]).toBe(each.request);
        }
        const closed = open.length === 8 ? open.splice(which, 1)[0] : undefined;
        if (closed === undefined) continue;
        slots.close(closed.slot);
        expect(slots.find(closed.id)).toBe(-1);
        expect(slots.isIdle(closed.id)).toBe(false);
      }
      expect(slots.count).toBe(open.length);
      expect([...slots.openSlots()].length).toBe(open.length);
    }),
    { numRuns: 30 },
  );
});

test('even ids and those to come are idle: no frame may be for them', () => {
  const slots = new StreamSlots(4);
  slots.open(0, post, 1);
  expect([1, 2, 3].map((id) => slots.isIdle(id))).toEqual([false, true, true]);
});

test('the last ids are given out, and none beyond them', () => {
  const slots = new StreamSlots(4, 0x7fff_fff9, 0x7fff_ffff);
  const ids: number[] = [];
  while (!slots.isExhausted) {
    const slot = slots.open(0, post, 1);
    ids.push(slots.idOf(slot));
    slots.close(slot);
  }
  expect(ids).toEqual([0x7fff_fff9, 0x7fff_fffb, 0x7fff_fffd, 0x7fff_ffff]);
});
