import { createHash, randomInt } from 'node:crypto';

/** A code as the engineer reads it out, such as `K7QM-2XHP`, and when (ms) it is worth nothing any more. */
interface EnrolmentCode {
  readonly code: string;
  readonly expiresMs: number;
}

export interface EnrolmentCodes {
  readonly make: () => EnrolmentCode;
  /** A code is good once. `too-many`: so many wrong ones came that none is looked at for a while. */
  readonly use: (code: string) => 'good' | 'wrong' | 'too-many';
}

const LIFE_MS = 10 * 60_000;
const MAX_OPEN = 5;
/** Without letters that look like others, read aloud over a telephone. 30^8 codes, and ten guesses a minute. */
const LETTERS = 'ABCDEFGHJKMNPQRSTVWXYZ23456789';
const LENGTH = 8;
const GUESSES = 10;
const GUESSES_MS = 60_000;

export function createEnrolmentCodes(now: () => number): EnrolmentCodes {
  /** Hash of a code → its end. */
  const open = new Map<string, number>();
  let wrong: number[] = [];
  const forgetOld = () => {
    for (const [hash, expiresMs] of open) if (expiresMs <= now()) open.delete(hash);
    wrong = wrong.filter((atMs) => now() - atMs < GUESSES_MS);
  };
  return {
    make: () => {
      forgetOld();
      const [oldest] = open.keys();
      if (open.size >= MAX_OPEN && oldest !== undefined) open.delete(oldest);
      const letters = Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]);
      const code = `${letters.slice(0, 4).join('')}-${letters.slice(4).join('')}`;
      const expiresMs = now() + LIFE_MS;
      open.set(hashOf(code), expiresMs);
      return { code, expiresMs };
    },
    use: (code) => {
      forgetOld();
      if (wrong.length >= GUESSES) return 'too-many';
      if (open.delete(hashOf(code))) return 'good';
      wrong.push(now());
      return 'wrong';
    },
  };
}

/** However it was typed: small letters, without the dash. Looked up by its hash, so that time tells nothing. */
function hashOf(code: string): string {
  const plain = code.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  return createHash('sha256').update(plain).digest('base64');
}
