import type { Socket } from 'node:net';
import { findPath, type Range } from './header-path.ts';
import { OutBuffer } from './out-buffer.ts';
import type { RequestLog } from './request-log.ts';
import { keyOf } from './seen-keys.ts';

const PREFACE_BYTES = 24;
const FRAME_HEAD = 9;
const TYPE = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, continuation: 9 } as const;
const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const;
/** RFC 9113 section 6.5.2. */
const SETTING = { maxStreams: 3, initialWindow: 4 } as const;
const STREAM_WINDOW = 1 << 20;
const MAX_WINDOW = 2 ** 31 - 1;
const FIRST_WINDOW = 65_535;
const CREDIT_FROM = 1 << 24;
const LONGEST_TOKEN = 400;

/** Answers whose header blocks need no table: `:status 201` as a literal, `:status 200` and content-type by index. */
const ACCEPTED = {
  'web-push': frame(
    TYPE.headers,
    FLAG.endHeaders | FLAG.endStream,
    Buffer.from([0x08, 3, 0x32, 0x30, 0x31]),
  ),
  fcm: Buffer.concat([
    frame(
      TYPE.headers,
      FLAG.endHeaders,
      Buffer.concat([Buffer.from([0x88, 0x0f, 0x10, 16]), Buffer.from('application/json')]),
    ),
    frame(TYPE.data, FLAG.endStream, Buffer.from('{"name":"projects/bench/messages/0:1"}')),
  ]),
};

function frame(type: number, flags: number, payload: Buffer, stream = 0): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function windowUpdate(bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(8, 0, payload);
}

function settings(maxStreams: number): Buffer {
  const payload = Buffer.alloc(12);
  payload.writeUInt16BE(SETTING.maxStreams, 0);
  payload.writeUInt32BE(maxStreams, 2);
  payload.writeUInt16BE(SETTING.initialWindow, 6);
  payload.writeUInt32BE(STREAM_WINDOW, 8);
  return frame(TYPE.settings, 0, payload);
}

/** A request whose body is still coming. */
interface Open {
  key: number;
  bodyBytes: number;
  /** The end of a frame in which a token begins that goes on in the next one. */
  cut: Buffer | undefined;
}

/**
 * The server's side of one HTTP/2 connection, written frame by frame for one shape of traffic: small POSTs with
 * constant answers. It costs about a twentieth of Node's server for each message. What a client puts into a header
 * block besides the path is not looked at, so `:scheme: https:` passes, as it does at Google's.
 */
export class Http2Connection {
  readonly #log: RequestLog;
  readonly #out: OutBuffer;
  readonly #open = new Map<number, Open>();
  readonly #path: Range = { start: 0, end: 0 };
  #rest: Buffer | undefined;
  #isGreeted = false;
  #credit = 0;

  constructor(socket: Socket, log: RequestLog, maxStreams: number) {
    this.#log = log;
    this.#out = new OutBuffer(socket);
    this.#out.append(settings(maxStreams));
    this.#out.append(windowUpdate(MAX_WINDOW - FIRST_WINDOW));
  }

  feed(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (!this.#isGreeted) {
      if (bytes.length < PREFACE_BYTES) {
        this.#rest = bytes;
        return;
      }
      this.#isGreeted = true;
      at = PREFACE_BYTES;
    }
    while (bytes.length - at >= FRAME_HEAD) {
      const end = at + FRAME_HEAD + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#frame(bytes, at, end);
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
    if (this.#credit > CREDIT_FROM) {
      this.#out.append(windowUpdate(this.#credit));
      this.#credit = 0;
    }
  }

  readonly answer = (stream: number): void => {
    const bytes = ACCEPTED[this.#log.kind];
    const { block, at } = this.#out.append(bytes);
    block.writeUInt32BE(stream, at + 5);
    const second = at + FRAME_HEAD + block.readUIntBE(at, 3);
    if (second < at + bytes.length) block.writeUInt32BE(stream, second + 5);
  };

  #frame(bytes: Buffer, at: number, end: number): void {
    const flags = bytes.readUInt8(at + 4);
    const stream = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
    switch (bytes.readUInt8(at + 3)) {
      case TYPE.headers:
        this.#headers(bytes, at + FRAME_HEAD, end, flags, stream);
        break;
      case TYPE.data:
        this.#data(bytes, at + FRAME_HEAD, end, flags, stream);
        break;
      case TYPE.reset:
        this.#open.delete(stream);
        break;
      case TYPE.settings:
        if ((flags & FLAG.ack) === 0)
          this.#out.append(frame(TYPE.settings, FLAG.ack, Buffer.alloc(0)));
        break;
      case TYPE.ping:
        if ((flags & FLAG.ack) === 0)
          this.#out.append(frame(TYPE.ping, FLAG.ack, bytes.subarray(at + FRAME_HEAD, end)));
        break;
      default:
      // CONTINUATION holds nothing that is looked for: the path is always in front.
    }
  }

  #headers(bytes: Buffer, at: number, end: number, flags: number, stream: number): void {
    let from = at;
    if ((flags & FLAG.padded) !== 0) from += 1;
    if ((flags & FLAG.priority) !== 0) from += 5;
    const path = this.#path;
    const isFound = this.#log.kind === 'web-push' && findPath(bytes, from, end, path);
    this.#open.set(stream, {
      key: isFound ? keyOf(bytes, path.start, path.end) : 0,
      bodyBytes: 0,
      cut: undefined,
    });
    if ((flags & FLAG.endStream) !== 0) this.#whole(stream);
  }

  #data(bytes: Buffer, at: number, end: number, flags: number, stream: number): void {
    this.#credit += end - at;
    const open = this.#open.get(stream);
    if (open === undefined) return;
    open.bodyBytes += end - at;
    if (open.key === 0 && end > at && this.#log.kind === 'fcm')
      this.#findToken(open, bytes, at, end);
    if ((flags & FLAG.endStream) !== 0) this.#whole(stream);
  }

  /** A client may cut a body anywhere; ours ends its first frame right behind the token. */
  #findToken(open: Open, bytes: Buffer, at: number, end: number): void {
    if (open.cut === undefined) {
      open.key = this.#log.tokenKey(bytes, at, end);
      if (open.key === 0) open.cut = Buffer.from(bytes.subarray(at, end));
      return;
    }
    const text = Buffer.concat([open.cut, bytes.subarray(at, Math.min(end, at + LONGEST_TOKEN))]);
    open.key = this.#log.tokenKey(text, 0, text.length);
    open.cut = undefined;
  }

  #whole(stream: number): void {
    const open = this.#open.get(stream);
    this.#open.delete(stream);
    if (open !== undefined) this.#log.take(this, stream, open.key, open.bodyBytes);
  }
}
