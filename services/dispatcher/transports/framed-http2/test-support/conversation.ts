import type { Exchange } from '../../exchange.ts';
import type { Post } from '../../post-client.ts';
import { ClientProtocol, type ProtocolOptions } from '../client-protocol.ts';
import { CODE, type ErrorCode, FRAME } from '../frame.ts';
import { FrameReader } from '../frame-reader.ts';
import { HpackDecoder } from '../hpack-decoder.ts';

export interface SeenFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

const PREFACE_BYTES = 24;
const never = new AbortController().signal;

/** A connection without a network: the test is the peer. */
export class Conversation {
  readonly protocol: ClientProtocol;
  readonly settled = new Map<number, Exchange>();
  readonly unprocessed: [request: number, why: string][] = [];
  readonly events: string[] = [];
  bytesWritten = 0;
  /** What a peer knows of our header blocks. */
  readonly decoder = new HpackDecoder();
  readonly #written: Buffer[] = [];
  #next = 1;

  constructor(options: Partial<ProtocolOptions> = {}) {
    this.protocol = new ClientProtocol(
      { authority: 'push.example', maxStreams: 100, ...options },
      {
        onSettled: (request, exchange) => this.#settle(request, exchange),
        onUnprocessed: (request, why) => this.unprocessed.push([request, why]),
        onReady: () => this.events.push('ready'),
        onRoom: () => this.events.push('room'),
        onDraining: (why) => this.events.push(`draining: ${why}`),
        onPong: () => this.events.push('pong'),
      },
      {
        write: (bytes) => {
          this.bytesWritten += bytes.length;
          this.#written.push(bytes);
        },
        isIdle: () => false,
        onPending: () => undefined,
      },
    );
    this.protocol.start();
    this.protocol.out.flush();
    const preface = this.#written.shift();
    if (preface !== undefined) this.#written.unshift(preface.subarray(PREFACE_BYTES));
  }

  #settle(request: number, exchange: Exchange): void {
    if (this.settled.has(request)) throw new Error(`request ${request} settled twice`);
    this.settled.set(request, exchange);
  }

  /** The peer sends these. */
  peer(...frames: readonly Buffer[]): ErrorCode {
    return this.protocol.receive(Buffer.concat(frames));
  }

  /** One more request; returns its number. */
  post(change: Partial<Post> = {}): number {
    const request = this.#next++;
    const post = { path: '/p', headers: {}, body: Buffer.from('body'), signal: never, ...change };
    this.protocol.take(request, post);
    return request;
  }

  /** What we wrote since the last call. */
  sent(): SeenFrame[] {
    this.protocol.out.flush();
    const frames: SeenFrame[] = [];
    const reader = new FrameReader({
      onFrame: (type, flags, streamId, bytes, start, end) => {
        frames.push({ type, flags, streamId, payload: Buffer.from(bytes.subarray(start, end)) });
        return CODE.NO_ERROR;
      },
    });
    for (const bytes of this.#written.splice(0)) reader.read(bytes);
    return frames;
  }

  /** The header fields of a block of ours. */
  fieldsOf(payload: Buffer): string[] {
    const fields: string[] = [];
    const isGood = this.decoder.decode(payload, 0, payload.length, {
      onField: (name, value) => {
        fields.push(`${name}: ${value}`);
        return true;
      },
    });
    if (!isGood) throw new Error('our own header block is broken');
    return fields;
  }
}

/** Name and stream of a frame, and what of its payload says something: "RST_STREAM 3 8". */
export function describeFrame({ type, flags, streamId, payload }: SeenFrame): string {
  const name = Object.entries(FRAME).find(([, value]) => value === type)?.[0] ?? String(type);
  const word =
    type === FRAME.RST_STREAM || type === FRAME.WINDOW_UPDATE ? ` ${payload.readUInt32BE(0)}` : '';
  const length = type === FRAME.DATA ? ` ${payload.length}` : '';
  const end = type === FRAME.DATA && (flags & 1) !== 0 ? ' end' : '';
  const ack = (type === FRAME.SETTINGS || type === FRAME.PING) && (flags & 1) !== 0 ? ' ack' : '';
  const code = type === FRAME.GOAWAY ? ` ${payload.readUInt32BE(4)}` : '';
  return `${name} ${streamId}${word}${length}${end}${ack}${code}`;
}
