/** Every order of the items. For a handful of them: five have 120. */
export function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, at) =>
    permutations(items.filter((_, i) => i !== at)).map((rest) => [first, ...rest]),
  );
}

/**
 * A few orders in which any three of the items come in each of their six orders (not necessarily one right after the
 * other), so that whatever depends on up to three kinds being there in some order is met. The same ones each time:
 * whichever brings most that is new goes next.
 */
export function coveringOrders<Item extends string>(items: readonly Item[]): Item[][] {
  const all = permutations(items).map((order) => ({ order, triples: triplesOf(order) }));
  const missing = new Set(all.flatMap(({ triples }) => triples));
  const chosen: Item[][] = [];
  while (missing.size > 0) {
    const gain = ({ triples }: { triples: string[] }) =>
      triples.filter((each) => missing.has(each)).length;
    const best = all.reduce((before, each) => (gain(each) > gain(before) ? each : before));
    for (const each of best.triples) missing.delete(each);
    chosen.push(best.order);
  }
  return chosen;
}

function triplesOf(order: readonly string[]): string[] {
  return order.flatMap((a, i) =>
    order.slice(i + 1).flatMap((b, j) => order.slice(i + j + 2).map((c) => `${a} ${b} ${c}`)),
  );
}
