import type { Socket } from 'node:net';
import { OutBuffer } from './out-buffer.ts';
import type { RequestLog } from './request-log.ts';
import { keyOf } from './seen-keys.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
const SPACE = 0x20;
const ACCEPTED = {
  fcm: answer(200, '{"name":"projects/bench/messages/0:1"}'),
  'web-push': answer(201, ''),
};

function answer(status: number, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status} OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

/** One keep-alive HTTP/1.1 connection of the sink: requests with a Content-Length, one after the other. */
export class Http1Connection {
  readonly #log: RequestLog;
  readonly #out: OutBuffer;
  #rest: Buffer | undefined;

  constructor(socket: Socket, log: RequestLog) {
    this.#log = log;
    this.#out = new OutBuffer(socket);
  }

  feed(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const headEnd = bytes.indexOf(HEAD_END, at);
      if (headEnd < 0) break;
      const bodyStart = headEnd + HEAD_END.length;
      const length = /\r\ncontent-length: *(\d+)/i.exec(
        bytes.toString('latin1', at, bodyStart),
      )?.[1];
      if (length === undefined) throw new Error('a request without a Content-Length');
      const bodyEnd = bodyStart + Number(length);
      if (bodyEnd > bytes.length) break;
      this.#log.take(this, 0, this.#keyOf(bytes, at, bodyStart, bodyEnd), Number(length));
      at = bodyEnd;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }

  readonly answer = (): void => {
    this.#out.append(ACCEPTED[this.#log.kind]);
  };

  #keyOf(bytes: Buffer, start: number, bodyStart: number, bodyEnd: number): number {
    if (this.#log.kind === 'fcm') return this.#log.tokenKey(bytes, bodyStart, bodyEnd);
    const path = bytes.indexOf(SPACE, start) + 1;
    return keyOf(bytes, path, bytes.indexOf(SPACE, path));
  }
}
