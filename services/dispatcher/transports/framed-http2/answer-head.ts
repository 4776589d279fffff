import type { FieldTaker } from './hpack-decoder.ts';

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
    if (name.startsWith(':')) return this.#onPseudo(name, value);
    this.#sawRegular = true;
    if (name === 'retry-after') this.retryAfter = value;
    else if (name === '' || name !== name.toLowerCase()) this.isMalformed = true;
    return true;
  }

  #onPseudo(name: string, value: string): boolean {
    const wrong = name !== ':status' || this.status !== 0 || this.#sawRegular;
    if (wrong || !/^[1-9]\d\d$/.test(value)) {
      this.isMalformed = true;
      return true;
    }
    this.status = Number(value);
    return !isSuccess(this.status);
  }
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}
