import { type Answerable, DelayLine } from './delay-line.ts';
import { keyOf, SeenKeys } from './seen-keys.ts';

/** FCM tells devices by the token in the body, a push service by the path. */
export type SinkKind = 'fcm' | 'web-push';

/** What a sink has taken since it was last asked to begin anew. Instants are milliseconds since 1970. */
export interface SinkStats {
  /** Whole requests. */
  readonly messages: number;
  /** Different devices. */
  readonly devices: number;
  readonly bodyBytes: number;
  readonly firstAtMs: number;
  /** When the last device that had not been there before was written. */
  readonly lastNewAtMs: number;
  /** Of the sink's process, since its start. */
  readonly cpuMicros: number;
}

const TOKEN_FIELD = Buffer.from('"token":"');
const QUOTE = 0x22;

/** Counts the requests of all connections of one sink, and answers each after the sink's reply time. */
export class RequestLog {
  readonly kind: SinkKind;
  readonly #line: DelayLine;
  readonly #seen = new SeenKeys();
  #stalledKey: number | undefined;
  #messages = 0;
  #bodyBytes = 0;
  #firstAtMs = 0;
  #lastNewAtMs = 0;

  constructor(kind: SinkKind, replyMs: number) {
    this.kind = kind;
    this.#line = new DelayLine(replyMs);
  }

  set replyMs(replyMs: number) {
    this.#line.delayMs = replyMs;
  }

  /** This device's requests are read and never answered. */
  stall(address: string | undefined): void {
    const bytes = Buffer.from(address ?? '', 'latin1');
    this.#stalledKey = address === undefined ? undefined : keyOf(bytes, 0, bytes.length);
  }

  /** The device of an FCM body; 0 while the token has not come yet. */
  tokenKey(body: Buffer, start: number, end: number): number {
    const field = body.indexOf(TOKEN_FIELD, start);
    if (field < 0 || field >= end) return 0;
    const from = field + TOKEN_FIELD.length;
    const to = body.indexOf(QUOTE, from);
    return to < 0 || to > end ? 0 : keyOf(body, from, to);
  }

  take(who: Answerable, requestId: number, key: number, bodyBytes: number): void {
    const nowMs = Date.now();
    if (this.#messages === 0) this.#firstAtMs = nowMs;
    this.#messages++;
    this.#bodyBytes += bodyBytes;
    if (this.#seen.add(key)) this.#lastNewAtMs = nowMs;
    if (key !== this.#stalledKey) this.#line.add(who, requestId);
  }

  stats(): SinkStats {
    const { user, system } = process.cpuUsage();
    return {
      messages: this.#messages,
      devices: this.#seen.size,
      bodyBytes: this.#bodyBytes,
      firstAtMs: this.#firstAtMs,
      lastNewAtMs: this.#lastNewAtMs,
      cpuMicros: user + system,
    };
  }

  beginAnew(): void {
    this.#seen.clear();
    this.#messages = 0;
    this.#bodyBytes = 0;
    this.#firstAtMs = 0;
    this.#lastNewAtMs = 0;
  }
}
