import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SlotList } from './slot-list.ts';

const contents = (list: SlotList) => {
  const slots: number[] = [];
  for (let slot = list.first; slot >= 0; slot = list.after(slot)) slots.push(slot);
  return slots;
};

test('does what an array does', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({ what: fc.constantFrom('append', 'prepend', 'remove'), slot: fc.nat(9) }),
      ),
      (steps) => {
        const list = new SlotList(10);
        let model: number[] = [];
        for (const { what, slot } of steps) {
          if (what === 'remove') {
            list.remove(slot);
            model = model.filter((each) => each !== slot);
          } else if (!model.includes(slot)) {
            if (what === 'append') list.append(slot);
            else list.prepend(slot);
            model = what === 'append' ? [...model, slot] : [slot, ...model];
          }
          expect(contents(list)).toEqual(model);
          expect(list.count).toBe(model.length);
        }
      },
    ),
  );
});
