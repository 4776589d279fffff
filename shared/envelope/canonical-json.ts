/**
 * One spelling for one value: keys sorted, no spaces, absent fields left out. Hashes are taken over these bytes, so two
 * clients that write the same alert differently mean the same content (the idea of RFC 8785; our values hold no
 * fractions, so its number rules are not needed).
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (item === null || typeof item !== 'object' || Array.isArray(item)) return item;
    return Object.fromEntries(
      Object.entries(item)
        .filter(([, each]) => each !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });
}
