import type { FieldTaker } from './hpack-decoder.ts';

const COLON = 0x3a;

/** What a header block of an answer says that we want to know. */
export class AnswerHead implements FieldTaker {
  /** 0: the block has no `:status` (yet). */
  status = 0;
  retryAfter: string | undefined;
  /** Breaks a rule of RFC 9113 section 8.1.1: the answer is not to be believed. */
  isMalformed = false;
  #sawRegular = false;

  reset(): void {
    this.status = 0;
    this.retryAfter = undefined;
    this.isMalformed = false;
    this.#sawRegular = false;
  }

  /** False after the `:status` of an answer of which nothing else matters. */
  onField(name: string, value: string): boolean {
    if (name.charCodeAt(0) === COLON) return this.#onPseudo(name, value);
    this.#sawRegular = true;
    if (name === 'retry-after') this.retryAfter = value;
    else if (name === '' || name !== name.toLowerCase()) this.isMalformed = true;
    return true;
  }

  #onPseudo(name: string, value: string): boolean {
    const status = name === ':status' ? statusOf(value) : 0;
    if (status === 0 || this.status !== 0 || this.#sawRegular) {
      this.isMalformed = true;
      return true;
    }
    this.status = status;
    return !isSuccess(status);
  }
}

const DIGIT_0 = 0x30;

/** 0: it is none. */
function statusOf(value: string): number {
  if (value.length !== 3) return 0;
  const hundreds = value.charCodeAt(0) - DIGIT_0;
  const tens = value.charCodeAt(1) - DIGIT_0;
  const ones = value.charCodeAt(2) - DIGIT_0;
  const isStatus =
    hundreds > 0 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  return isStatus ? 100 * hundreds + 10 * tens + ones : 0;
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
