// AES-128-GCM (NIST SP 800-38D) of one short message under a key that is used once. AssemblyScript; build-module.ts
// compiles it into aes-gcm-module.ts. The file does not end in .ts because TypeScript would not understand its types.
//
// AES without tables in memory: a byte is written as two numbers of four bits, i and k, of the field GF(16) over which
// GF(256) is an extension of degree 2; the inverse of a byte then needs inverses of GF(16) only, and those are byte
// shuffles inside a register (Mike Hamburg, "Accelerating AES with Vector Permute Instructions", CHES 2009). So the time
// depends on no key bit. GHASH does read tables at places that depend on the key; see docs/decisions/0010.
//
// The constants: w = 0x5c has w^4 + w + 1 = 0, n of four bits stands for the sum of w^b over its bits b, and the byte
// i + 18 k (in GF(256), 0x11b) for the pair (i, k). With a = 5,
//   j = i + k,  io = 1/(1/i + a/k) + j,  jo = 1/(1/j + a/k) + i,  1/0 = infinity = 0x80,
// the inverse of the byte is a sum U[io] + T[jo]. SBOX_* are U and T followed by the S-box's linear part, written as
// pairs again; DOUBLE_* the same times 2; LAST_* the same as plain bytes. The S-box's constant 0x63 is in the round keys
// (MixColumns leaves it as it is, its coefficients add up to 1).
//
// They are in memory, not in the code: V8 builds a constant in the code from two 64-bit numbers each time it is used,
// which made the whole twice as slow. For the same reason shuffles are lookups.
const TO_PAIR_LOW = memory.data<u32>([0xa2b21000, 0x96862434, 0x36268494, 0x0212b0a0], 16);
const TO_PAIR_HIGH = memory.data<u32>([0xde6db300, 0xed5e8033, 0xc073ad1e, 0xf3409e2d], 16);
const INVERSE = memory.data<u32>([0x0e090180, 0x06070b0d, 0x050c020f, 0x0803040a], 16);
const A_INVERSE = memory.data<u32>([0x030b0580, 0x0d08010c, 0x02090a06, 0x0e0f0704], 16);
const SBOX_U = memory.data<u32>([0xf546b400, 0x07b3e5e2, 0x1056a341, 0xf217a451], 16);
const SBOX_T = memory.data<u32>([0x9aaf0500, 0x30357e4e, 0xe44bd19f, 0xaad4e17b], 16);
const DOUBLE_U = memory.data<u32>([0x167be700, 0x8a6da42e, 0xb2c9dff1, 0x9c385543], 16);
const DOUBLE_T = memory.data<u32>([0x84492b00, 0xe6cd799f, 0xfdb430af, 0x621bd652], 16);
const LAST_U = memory.data<u32>([0xa6b65400, 0x4410a7e3, 0x01b711f2, 0xe24555f3], 16);
const LAST_T = memory.data<u32>([0x899f4b00, 0x5d163c61, 0xb52aa3c2, 0xd4e8fe77], 16);
const FIFTEENS = memory.data<u32>([0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f, 0x0f0f0f0f], 16);

/** ShiftRows, and followed by a step of one byte down and one up in each column; a step down alone. */
const ROWS = memory.data<u8>([0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11], 16);
const ROWS_DOWN = memory.data<u8>([5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12], 16);
const ROWS_UP = memory.data<u8>([15, 0, 5, 10, 3, 4, 9, 14, 7, 8, 13, 2, 11, 12, 1, 6], 16);
const DOWN = memory.data<u8>([1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12], 16);

/** What four bits that fall out of GHASH’s 128 add to the first and to the second byte. */
const BACK_FIRST = memory.data<u32>([0x24381c00, 0x54486c70, 0xc5d9fde1, 0xb5a98d91], 16);
const BACK_SECOND = memory.data<u32>([0x60402000, 0xe0c0a080, 0x60402000, 0xe0c0a080], 16);

const REVERSED = memory.data<u8>([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 16);
const ONE_LATER = memory.data<u8>([128, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], 16);
const LAST_TO_FIRST = memory.data<u8>([15, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], 16);
const LAST_TO_SECOND = memory.data<u8>([128, 15, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128], 16);

const ZERO = i64x2(0, 0);

/** Working memory. The host asks where the first two are; see `seal`. */
const MESSAGE = memory.data(86 + 4096 + 64, 16);
const CLEAR = memory.data(4096 + 64, 16);
const ROUND_KEYS = memory.data(11 * 16, 16);
const KEY_STREAM = memory.data(48, 16);
const HASH = memory.data(16, 16);
const HIGH_BITS = memory.data<u32>([0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0, 0xf0f0f0f0], 16);
/** A block's lower and upper half bytes, times 16: where their products are in their tables. */
const NIBBLES = memory.data(32, 16);
/** 4 KiB, at half of the memory: as a plain number it can stand in the instructions that read the tables. */
const H_TABLES: usize = 0x8000;

export function messageAt(): usize { return MESSAGE; }
export function clearAt(): usize { return CLEAR; }

// Every index is below 16 or has its top bit set (128, which gives 0): what relaxed_swizzle leaves open never occurs.
@inline function look(table: usize, index: v128): v128 { return i8x16.relaxed_swizzle(v128.load(table), index); }
@inline function low(x: v128): v128 { return v128.and(x, v128.load(FIFTEENS)); }
@inline function high(x: v128): v128 { return low(i16x8.shr_u(x, 4)); }
@inline function toPairs(x: v128): v128 { return v128.xor(look(TO_PAIR_LOW, low(x)), look(TO_PAIR_HIGH, high(x))); }
@inline function through(x: v128, aOverK: v128, add: v128): v128 {
  return v128.xor(look(INVERSE, v128.xor(look(INVERSE, x), aOverK)), add);
}
@inline function move(x: v128, places: usize): v128 { return i8x16.relaxed_swizzle(x, v128.load(places)); }

/** SubBytes, ShiftRows, MixColumns and AddRoundKey of a state in pairs. */
@inline function round(s: v128, key: v128): v128 {
  const i = high(s), k = low(s), j = v128.xor(i, k), aOverK = look(A_INVERSE, k);
  const io = through(i, aOverK, j), jo = through(j, aOverK, i);
  const once = v128.xor(look(SBOX_U, io), look(SBOX_T, jo));
  const twice = v128.xor(look(DOUBLE_U, io), look(DOUBLE_T, jo));
  // A column's byte becomes 2 a0 + 3 a1 + a2 + a3: x = 2 a0 + a1 and its neighbour below, and a3.
  const x = v128.xor(move(twice, ROWS), move(once, ROWS_DOWN));
  const a3 = move(once, ROWS_UP);
  const below = move(x, DOWN);
  return v128.xor(v128.xor(x, below), v128.xor(a3, key));
}

/** SubBytes without its constant, from pairs to plain bytes. */
@inline function lastSubBytes(s: v128): v128 {
  const i = high(s), k = low(s), j = v128.xor(i, k), aOverK = look(A_INVERSE, k);
  return v128.xor(look(LAST_U, through(i, aOverK, j)), look(LAST_T, through(j, aOverK, i)));
}

/** FIPS 197 section 5.2. Keys of the first ten rounds are kept as pairs. */
function expandKey(first: v128): void {
  const sbox63 = i8x16.splat(0x63);
  let key = first;
  v128.store(ROUND_KEYS, toPairs(key));
  let constant: i32 = 1;
  for (let r: usize = 16; r < 176; r += 16) {
    const sub = v128.xor(lastSubBytes(toPairs(key)), sbox63);
    const word = v128.shuffle<u8>(sub, sub, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12);
    key = v128.xor(key, v128.shuffle<u8>(ZERO, key, 0, 1, 2, 3, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27));
    key = v128.xor(key, v128.shuffle<u8>(ZERO, key, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
    key = v128.xor(v128.xor(key, word), i32x4.splat(constant));
    const kept = v128.xor(key, sbox63);
    v128.store(ROUND_KEYS + r, r < 160 ? toPairs(kept) : kept);
    constant = (constant << 1) ^ (constant >> 7) * 0x11b;
  }
}

/** The nonce with a block number in its last two bytes; a message has fewer than 300 blocks. */
@inline function counterBlock(nonce: v128, n: u32): v128 {
  return i16x8.replace_lane(nonce, 7, ((n & 255) << 8 | n >> 8) as i16);
}

@inline function bigEndian(highHalf: u64, lowHalf: u64): v128 {
  const x = i64x2.replace_lane(i64x2.splat(lowHalf), 1, highHalf);
  return move(x, REVERSED);
}

/** For each of a block's 16 bytes, the 16 products of its upper half with H. Entry 0 stays 0. */
function fillHTables(): void {
  let h = bswap<u64>(load<u64>(KEY_STREAM)), l = bswap<u64>(load<u64>(KEY_STREAM, 8));
  for (let table = H_TABLES; table < H_TABLES + 4096; table += 256) {
    let vh = h, vl = l;
    const e8 = bigEndian(vh, vl);
    let carry = (0 - (vl & 1)) & 0xe100000000000000; vl = vh << 63 | vl >> 1; vh = vh >> 1 ^ carry;
    const e4 = bigEndian(vh, vl);
    carry = (0 - (vl & 1)) & 0xe100000000000000; vl = vh << 63 | vl >> 1; vh = vh >> 1 ^ carry;
    const e2 = bigEndian(vh, vl);
    carry = (0 - (vl & 1)) & 0xe100000000000000; vl = vh << 63 | vl >> 1; vh = vh >> 1 ^ carry;
    const e1 = bigEndian(vh, vl);
    const e3 = v128.xor(e2, e1), e5 = v128.xor(e4, e1), e6 = v128.xor(e4, e2), e7 = v128.xor(e4, e3);
    v128.store(table, e1, 16); v128.store(table, e2, 32); v128.store(table, e3, 48); v128.store(table, e4, 64);
    v128.store(table, e5, 80); v128.store(table, e6, 96); v128.store(table, e7, 112); v128.store(table, e8, 128);
    v128.store(table, v128.xor(e8, e1), 144); v128.store(table, v128.xor(e8, e2), 160); v128.store(table, v128.xor(e8, e3), 176);
    v128.store(table, v128.xor(e8, e4), 192); v128.store(table, v128.xor(e8, e5), 208); v128.store(table, v128.xor(e8, e6), 224);
    v128.store(table, v128.xor(e8, e7), 240);
    // Times x^8: what falls out comes back times x^7 + x^2 + x + 1.
    const out = l << 56;
    l = h << 56 | l >> 8;
    h = h >> 8 ^ out ^ out >> 1 ^ out >> 2 ^ out >> 7;
  }
}

/** For each of a block's 16 bytes at `x` its entry, 0x8000 + 256 n for byte n; all added up. */
@inline function sumOfProducts(x: usize): v128 {
  return v128.xor(
    v128.xor(
      v128.xor(
        v128.xor(v128.load(load<u8>(x, 0) as usize, 0x8000), v128.load(load<u8>(x, 1) as usize, 0x8100)),
        v128.xor(v128.load(load<u8>(x, 2) as usize, 0x8200), v128.load(load<u8>(x, 3) as usize, 0x8300))),
      v128.xor(
        v128.xor(v128.load(load<u8>(x, 4) as usize, 0x8400), v128.load(load<u8>(x, 5) as usize, 0x8500)),
        v128.xor(v128.load(load<u8>(x, 6) as usize, 0x8600), v128.load(load<u8>(x, 7) as usize, 0x8700)))),
    v128.xor(
      v128.xor(
        v128.xor(v128.load(load<u8>(x, 8) as usize, 0x8800), v128.load(load<u8>(x, 9) as usize, 0x8900)),
        v128.xor(v128.load(load<u8>(x, 10) as usize, 0x8a00), v128.load(load<u8>(x, 11) as usize, 0x8b00))),
      v128.xor(
        v128.xor(v128.load(load<u8>(x, 12) as usize, 0x8c00), v128.load(load<u8>(x, 13) as usize, 0x8d00)),
        v128.xor(v128.load(load<u8>(x, 14) as usize, 0x8e00), v128.load(load<u8>(x, 15) as usize, 0x8f00)))));
}

/** Times x^4 of a block in its byte order. */
@inline function timesX4(v: v128): v128 {
  const lower = low(v);
  const carried = i32x4.shl(move(lower, ONE_LATER), 4);
  const back = v128.xor(look(BACK_FIRST, move(lower, LAST_TO_FIRST)), look(BACK_SECOND, move(lower, LAST_TO_SECOND)));
  return v128.xor(v128.xor(high(v), carried), back);
}

/** One step of GHASH: z times H. Through memory, which takes half of the instructions that shifts and masks take. */
@inline function timesH(z: v128): v128 {
  v128.store(NIBBLES, i32x4.shl(low(z), 4));
  v128.store(NIBBLES, v128.and(z, v128.load(HIGH_BITS)), 16);
  return v128.xor(sumOfProducts(NIBBLES + 16), timesX4(sumOfProducts(NIBBLES)));
}

/**
 * Encrypts three blocks into KEY_STREAM and meanwhile takes those from `from` to `to`, three at most, into HASH: side by
 * side, as the steps of one alone leave the processor idle.
 */
function encryptThree(a0: v128, b0: v128, c0: v128, from: usize, to: usize): void {
  const whitening = v128.load(ROUND_KEYS);
  let a = v128.xor(toPairs(a0), whitening), b = v128.xor(toPairs(b0), whitening), c = v128.xor(toPairs(c0), whitening);
  let hash = v128.load(HASH);
  for (let r: usize = 16; r < 160; r += 48) {
    if (from < to) { hash = timesH(v128.xor(hash, v128.load(from))); from += 16; }
    for (let k = ROUND_KEYS + r; k < ROUND_KEYS + r + 48; k += 16) {
      const key = v128.load(k);
      a = round(a, key); b = round(b, key); c = round(c, key);
    }
  }
  v128.store(HASH, hash);
  const last = v128.load(ROUND_KEYS, 160);
  v128.store(KEY_STREAM, v128.xor(move(lastSubBytes(a), ROWS), last));
  v128.store(KEY_STREAM, v128.xor(move(lastSubBytes(b), ROWS), last), 16);
  v128.store(KEY_STREAM, v128.xor(move(lastSubBytes(c), ROWS), last), 32);
}

/**
 * In: at MESSAGE a record (86 bytes header, 16 key, 12 nonce), at CLEAR the text and its delimiter, `length` bytes in
 * all and at most 4,096. Out: at MESSAGE header, cipher text, tag. No key is left behind.
 */
export function seal(length: usize): void {
  const body = MESSAGE + 86;
  const nonce = v128.load32_zero(body + 24);
  const counters = i64x2.replace_lane(v128.shuffle<u8>(nonce, nonce, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 15, 15, 15, 15), 0, load<u64>(body, 16));
  expandKey(v128.load(body));
  v128.store(HASH, ZERO);
  encryptThree(ZERO, counterBlock(counters, 1), counterBlock(counters, 2), body, body);
  const tagMask = v128.load(KEY_STREAM, 16);
  fillHTables();
  // What is written behind the text, up to two blocks, is none of it: zeros and the tag go there.
  const end = body + length;
  v128.store(body, v128.xor(v128.load(CLEAR), v128.load(KEY_STREAM, 32)));
  let hashed = body, at = body + 16, block: u32 = 3;
  for (; at < end; at += 48, block += 3) {
    encryptThree(counterBlock(counters, block), counterBlock(counters, block + 1), counterBlock(counters, block + 2), hashed, at);
    const clear = CLEAR + at - body;
    v128.store(at, v128.xor(v128.load(clear), v128.load(KEY_STREAM)));
    v128.store(at, v128.xor(v128.load(clear, 16), v128.load(KEY_STREAM, 16)), 16);
    v128.store(at, v128.xor(v128.load(clear, 32), v128.load(KEY_STREAM, 32)), 32);
    hashed = at;
  }
  // The rest of the last block counts as zeros.
  v128.store(end, ZERO);
  let hash = v128.load(HASH);
  for (; hashed < end; hashed += 16) hash = timesH(v128.xor(hash, v128.load(hashed)));
  const bits = (length << 3) as u64;
  hash = timesH(v128.xor(hash, i64x2.replace_lane(ZERO, 1, (bits & 255) << 56 | bits >> 8 << 48)));
  v128.store(end, v128.xor(hash, tagMask));
  memory.fill(ROUND_KEYS, 0, 176);
  memory.fill(KEY_STREAM, 0, 48);
  v128.store(HASH, ZERO); v128.store(NIBBLES, ZERO); v128.store(NIBBLES, ZERO, 16);
  memory.fill(H_TABLES, 0, 4096);
}
