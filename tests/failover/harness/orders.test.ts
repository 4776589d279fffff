import { expect, test } from '@jest/globals';
import { coveringOrders, permutations } from './orders.ts';

test('five items have 120 orders, all different', () => {
  expect(new Set(permutations(['a', 'b', 'c', 'd', 'e']).map((each) => each.join())).size).toBe(
    120,
  );
});

test.each([[['a', 'b', 'c', 'd']], [['a', 'b', 'c', 'd', 'e']]])(
  'the covering orders of %j have any three in each order, and are few',
  (items) => {
    const orders = coveringOrders(items);
    for (const order of orders) expect(order.toSorted()).toEqual(items);
    const isThere = (three: readonly string[]) =>
      orders.some((order) => order.filter((each) => three.includes(each)).join() === three.join());
    const threes = permutations(items).map((each) => each.slice(0, 3));
    expect(threes.filter((three) => !isThere(three))).toEqual([]);
    expect(orders.length).toBeLessThanOrEqual(9);
  },
);
