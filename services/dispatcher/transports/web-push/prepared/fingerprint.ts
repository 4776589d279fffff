/** A subscription's keys as the registry has them: base64url. */
export interface WebPushKeys {
  readonly p256dh: string;
  readonly auth: string;
}

/** Three words of 32 bits. */
export type Fingerprint = Int32Array;
export const FINGERPRINT_WORDS = 3;

/** Characters of both keys together; the registry's have 109. */
const MAX_TEXT = 240;

/** Writes the fingerprint of a subscription's keys into `into`. */
export type TakeFingerprint = (keys: WebPushKeys, into: Fingerprint) => void;

/**
 * 96 bits that stand for a subscription's keys in the store: a record is found by the keys it was made for, so a
 * subscription whose keys changed finds none. HalfSipHash-1-3 (Aumasson and Bernstein) with a third word taken as
 * SipHash-128 takes its second half; the secret seed keeps strangers, who choose their keys, from making collisions. Two
 * of a million subscriptions have the same fingerprint with a probability of 10^-17.
 */
export function createFingerprint(seed: readonly [number, number]): TakeFingerprint {
  const [seed0, seed1] = seed;
  /** Twice the room that keys need: 22 and 6 words. */
  const bytes = Buffer.alloc(256);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return ({ p256dh, auth }, into) => {
    if (p256dh.length + auth.length > MAX_TEXT) throw new RangeError('keys are too long');
    const count = packText(auth, bytes, words, packText(p256dh, bytes, words, 0));
    // Plain local variables: what is shared between closures costs four times as much.
    let v0 = seed0;
    let v1 = seed1 ^ 0xee;
    let v2 = 0x6c796765 ^ seed0;
    let v3 = 0x74656462 ^ seed1;
    // One round for each word, and three times three to end with, each time for one word of the result.
    for (let step = 0; step < count + 9; step++) {
      const word = step < count ? (words[step] ?? 0) : 0;
      if (step === count) v2 ^= 0xee;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (step === count + 2) {
        into[0] = v1 ^ v3;
        v1 ^= 0xdd;
      } else if (step === count + 5) {
        into[1] = v1 ^ v3;
        v1 ^= 0xcc;
      }
    }
    into[2] = v1 ^ v3;
  };
}

/** Four characters to a word; the last word of a text has its length, which keeps it apart from what follows. */
function packText(text: string, bytes: Buffer, words: Int32Array, from: number): number {
  const last = from + (text.length >>> 2);
  words[last] = 0;
  bytes.write(text, from * 4, 'latin1');
  words[last] = (words[last] ?? 0) ^ (text.length << 24);
  return last + 1;
}
