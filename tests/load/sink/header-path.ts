/** Where a field's value stands in a header block: bytes [start, end), as they were sent (perhaps Huffman-coded). */
export interface Range {
  start: number;
  end: number;
}

/** RFC 7541 appendix A: `:path` is static entry 4 (with `/`) and 5. */
const PATH_INDICES: ReadonlySet<number> = new Set([4, 5]);

/**
 * Finds `:path` in a header block without decoding the block: representations are only stepped over (RFC 7541
 * section 6), so no dynamic table has to be kept, whatever the client puts into its own. False when the path is not
 * there as a literal.
 */
export function findPath(block: Uint8Array, from: number, to: number, found: Range): boolean {
  let at = from;
  while (at < to) {
    const first = block[at] ?? 0;
    if ((first & 0x80) !== 0) {
      at = skipInteger(block, at, 7);
      continue;
    }
    if ((first & 0xe0) === 0x20) {
      at = skipInteger(block, at, 5);
      continue;
    }
    const prefix = (first & 0x40) !== 0 ? 6 : 4;
    const index = readInteger(block, at, prefix);
    at = skipInteger(block, at, prefix);
    if (index === 0) at = skipString(block, at);
    const start = skipInteger(block, at, 7);
    const end = start + readInteger(block, at, 7);
    if (PATH_INDICES.has(index)) {
      found.start = start;
      found.end = end;
      return end <= to;
    }
    at = end;
  }
  return false;
}

function skipString(block: Uint8Array, at: number): number {
  return skipInteger(block, at, 7) + readInteger(block, at, 7);
}

/** RFC 7541 section 5.1. */
function readInteger(block: Uint8Array, at: number, prefix: number): number {
  const max = (1 << prefix) - 1;
  let value = (block[at] ?? 0) & max;
  if (value < max) return value;
  for (let shift = 0, i = at + 1; ; shift += 7, i++) {
    const byte = block[i] ?? 0;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80 || shift > 21) return value;
  }
}

function skipInteger(block: Uint8Array, at: number, prefix: number): number {
  const max = (1 << prefix) - 1;
  if (((block[at] ?? 0) & max) < max) return at + 1;
  let i = at + 1;
  while ((block[i] ?? 0) >= 0x80) i++;
  return i + 1;
}
