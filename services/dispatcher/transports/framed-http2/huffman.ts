/**
 * RFC 7541 appendix B: how many bits the code of each symbol has, 0 to 255 and then the end of string. The code is
 * canonical (shorter codes first, equal ones in the order of their symbols), so the lengths say all of it.
 */
const CODE_LENGTHS = [
  '13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28',
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10',
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6',
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28',
  '20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24',
  '22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23',
  '26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27',
  '20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26',
  '30',
].flatMap((row) => row.split(' ').map(Number));

const END_OF_STRING = 256;
/** 256 inner nodes of the code's tree are the states; state 0 is its root. */
const STATES = 256;
/** For each state and the next four bits: the next state, or FAILS; a symbol that ends on the way is above it. */
const STEPS = new Int32Array(STATES * 16);
/** States in which a string may end: the bits since the last symbol are less than eight, and all of them ones. */
const MAY_END = new Uint8Array(STATES);
const FAILS = -1;
const NO_SYMBOL = 0;
buildSteps();

/**
 * Decodes a Huffman-coded string (RFC 7541 section 5.2) as Latin-1; undefined when it is none: the end-of-string symbol
 * in it, or padding that is longer than seven bits or not of ones.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  // The shortest code has five bits.
  const out = Buffer.allocUnsafe(Math.ceil(((end - start) * 8) / 5));
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = STEPS[state * 16 + ((byte >> shift) & 0xf)] ?? FAILS;
      if (step === FAILS) return undefined;
      const symbol = step >> 8;
      if (symbol !== NO_SYMBOL) out[length++] = symbol - 1;
      state = step & 0xff;
    }
  }
  return MAY_END[state] === 1 ? out.toString('latin1', 0, length) : undefined;
}

/** Two children a node: another node, or -1 - symbol. */
function buildTree(): Int32Array {
  const children = new Int32Array(STATES * 2);
  const symbols = CODE_LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  );
  let [code, lengthBefore, nodes] = [0, 0, 1];
  for (const { length, symbol } of symbols) {
    code *= 2 ** (length - lengthBefore);
    lengthBefore = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const child = node * 2 + ((code >>> bit) & 1);
      if (children[child] === 0) children[child] = nodes++;
      node = children[child] ?? 0;
    }
    children[node * 2 + (code & 1)] = -1 - symbol;
    code++;
  }
  return children;
}

/** No code is shorter than five bits: four bits can end one symbol at the most. */
function buildSteps(): void {
  const children = buildTree();
  for (let state = 0; state < STATES; state++) {
    for (let bits = 0; bits < 16; bits++) {
      let [node, symbol] = [state, NO_SYMBOL];
      for (let bit = 3; bit >= 0; bit--) {
        const child = children[node * 2 + ((bits >> bit) & 1)] ?? 0;
        if (child < 0) symbol = -child;
        node = Math.max(child, 0);
      }
      STEPS[state * 16 + bits] = symbol === END_OF_STRING + 1 ? FAILS : (symbol << 8) | node;
    }
  }
  MAY_END[0] = 1;
  for (let [ones, node] = [1, 0]; ones < 8; ones++) {
    node = children[node * 2 + 1] ?? 0;
    MAY_END[node] = 1;
  }
}
