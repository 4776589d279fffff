import { type Exchange, FAILED } from '../exchange.ts';
import type { Post } from '../post-client.ts';
import {
  AnswerReader,
  CONNECTION_WINDOW,
  HEADER_TABLE_SIZE,
  STREAM_WINDOW,
} from './answer-reader.ts';
import {
  CODE,
  type ErrorCode,
  FLAG,
  FRAME,
  goawayFrame,
  pingFrame,
  read31Bits,
  read32Bits,
  wordFrame,
} from './frame.ts';
import { FrameReader, type FrameTaker } from './frame-reader.ts';
import { frameProblem } from './frame-rules.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import { OutputBuffer, type OutputTarget } from './output-buffer.ts';
import { RequestSender } from './request-sender.ts';
import {
  applySettings,
  defaultPeerSettings,
  SETTING,
  settingsAckFrame,
  settingsFrame,
} from './settings.ts';
import { StreamSlots } from './stream-slots.ts';

/** RFC 9113 section 3.4. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const FIRST_CONNECTION_WINDOW = 65_535;
const MAX_HEADER_LIST_BYTES = 65_536;

export interface ProtocolOptions {
  readonly authority: string;
  /** Never more streams than this at once, whatever the peer allows. */
  readonly maxStreams: number;
  /** Other than the protocol's own in tests. */
  readonly firstStreamId?: number;
  readonly lastStreamId?: number;
}

/** `request` is the number that `take` was given. After one of the first two the protocol knows it no more. */
export interface ProtocolEvents {
  readonly onSettled: (request: number, exchange: Exchange) => void;
  /**
   * The peer did not process it: it may go to another connection, or, when it was refused by one that goes on (the peer
   * still counts a stream that we ended), to this one a moment later.
   */
  readonly onUnprocessed: (request: number, why: 'refused' | 'session-ends') => void;
  /** The peer's settings are here: it may be used. */
  readonly onReady: () => void;
  /** There may be more room than before. */
  readonly onRoom: () => void;
  /** It takes no new requests any more, but those it has may still be answered. */
  readonly onDraining: (why: string) => void;
  /** Our PING was answered. */
  readonly onPong: () => void;
}

/**
 * One HTTP/2 connection as a client sees it (RFC 9113), without socket and clock: bytes go in by `receive`, bytes come
 * out by `target.write`, and every request that `take` was given comes back by an event, by `cancel` or by `end`.
 */
export class ClientProtocol implements FrameTaker {
  readonly out: OutputBuffer;
  /** Set while the socket takes no more. */
  isBlocked = false;
  readonly #options: ProtocolOptions;
  readonly #events: ProtocolEvents;
  readonly #slots: StreamSlots;
  readonly #peer = defaultPeerSettings();
  readonly #encoder: HpackEncoder;
  readonly #sender: RequestSender;
  readonly #answers: AnswerReader;
  readonly #frames: FrameReader;
  readonly #ping = Buffer.alloc(8);
  #answered = 0;
  #isReady = false;
  #isDraining = false;
  #isTornDown = false;
  #isOver = false;

  constructor(options: ProtocolOptions, events: ProtocolEvents, target: OutputTarget) {
    this.#options = options;
    this.#events = events;
    this.out = new OutputBuffer(target);
    this.#slots = new StreamSlots(options.maxStreams, options.firstStreamId, options.lastStreamId);
    this.#encoder = new HpackEncoder(options.authority);
    this.#sender = new RequestSender(this.#slots, this.#encoder, this.out);
    this.#answers = new AnswerReader(this.#slots, this.out, {
      onAnswer: (slot, exchange, endedByPeer) => this.#onAnswer(slot, exchange, endedByPeer),
      onMalformed: (slot) => this.#giveUp(slot, CODE.PROTOCOL_ERROR, FAILED.connection),
    });
    this.#frames = new FrameReader(this);
  }

  /** Requests that it brought an answer for. */
  get answered(): number {
    return this.#answered;
  }

  /** Open streams. */
  get count(): number {
    return this.#slots.count;
  }

  get isUsable(): boolean {
    return this.#isReady && !this.#isDraining && !this.#isOver;
  }

  /** It was told to go away, or has no stream ids left: it ends with its last stream. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The peer ended the connection for an error (GOAWAY): answers that are not here yet will not come. */
  get isTornDown(): boolean {
    return this.#isTornDown;
  }

  /** Streams that may be open at once. */
  get capacity(): number {
    return this.isUsable ? Math.min(this.#peer.maxConcurrentStreams, this.#options.maxStreams) : 0;
  }

  /** How many more requests it can take now. */
  get room(): number {
    if (this.isBlocked || this.#sender.connectionWindow <= 0) return 0;
    return Math.max(0, this.capacity - this.#slots.count);
  }

  /** The connection's first words. */
  start(): void {
    this.out.put(PREFACE);
    this.out.put(
      settingsFrame([
        [SETTING.HEADER_TABLE_SIZE, HEADER_TABLE_SIZE],
        [SETTING.ENABLE_PUSH, 0],
        [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
        [SETTING.MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST_BYTES],
      ]),
    );
    const more = CONNECTION_WINDOW - FIRST_CONNECTION_WINDOW;
    this.out.put(wordFrame(FRAME.WINDOW_UPDATE, 0, more));
  }

  /** Writes a request; the caller has looked at `room`. Returns the place by which it can be cancelled. */
  take(request: number, post: Post): number {
    const slot = this.#slots.open(request, post, this.#peer.initialWindowSize);
    this.#sender.send(slot, post);
    if (this.#slots.isExhausted) this.#drain('no stream ids left');
    return slot;
  }

  /** Nobody waits for this answer any more. */
  cancel(slot: number): void {
    this.#reset(slot, CODE.CANCEL);
    this.#close(slot);
  }

  /** Asks for a sign of life: `onPong`. */
  ping(): void {
    this.#ping.writeUInt32BE((this.#ping.readUInt32BE(4) + 1) >>> 0, 4);
    this.out.put(pingFrame(FLAG.NONE, this.#ping));
  }

  /** Other than 0: the peer broke the protocol; say so by `end`. */
  receive(chunk: Buffer): ErrorCode {
    return this.#isOver ? CODE.NO_ERROR : this.#frames.read(chunk);
  }

  /** Says goodbye, and settles what was not answered. */
  end(code: ErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.out.put(goawayFrame(code));
    for (const slot of this.#slots.openSlots()) {
      const request = this.#close(slot);
      this.#events.onSettled(request, FAILED.connection);
    }
  }

  onFrame(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ErrorCode {
    if (this.#isOver) return CODE.NO_ERROR;
    const problem = this.#sequenceProblem(type, flags, streamId);
    if (problem !== CODE.NO_ERROR) return problem;
    const broken = frameProblem(type, flags, streamId, end - start);
    if (broken !== CODE.NO_ERROR) return broken;
    // The two that come for every answer first.
    if (type === FRAME.DATA) return this.#answers.onData(flags, streamId, bytes, start, end);
    if (type === FRAME.HEADERS) return this.#answers.onHeaders(flags, streamId, bytes, start, end);
    return this.#onOther(type, flags, streamId, bytes, start, end);
  }

  #onOther(
    type: number,
    flags: number,
    streamId: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): ErrorCode {
    switch (type) {
      case FRAME.CONTINUATION:
        return this.#answers.onContinuation(flags, bytes, start, end);
      case FRAME.WINDOW_UPDATE:
        return this.#onWindowUpdate(streamId, read31Bits(bytes, start));
      case FRAME.SETTINGS:
        return this.#onSettings(flags, bytes, start, end);
      case FRAME.RST_STREAM:
        this.#onReset(streamId, read32Bits(bytes, start));
        return CODE.NO_ERROR;
      case FRAME.PING:
        this.#onPing(flags, bytes.subarray(start, end));
        return CODE.NO_ERROR;
      case FRAME.GOAWAY:
        this.#onGoaway(read31Bits(bytes, start), read32Bits(bytes, start + 4));
        return CODE.NO_ERROR;
      default:
        return CODE.NO_ERROR;
    }
  }

  /** Frames in the wrong order, or for streams that there never were. */
  #sequenceProblem(type: number, flags: number, streamId: number): ErrorCode {
    const awaited = this.#answers.awaitsContinuation;
    const isContinuation = type === FRAME.CONTINUATION;
    if (isContinuation !== (awaited !== 0) || (awaited !== 0 && streamId !== awaited))
      return CODE.PROTOCOL_ERROR;
    // RFC 9113 section 3.4: SETTINGS are a server's first frame.
    if (!this.#isReady && (type !== FRAME.SETTINGS || (flags & FLAG.ACK) !== 0))
      return CODE.PROTOCOL_ERROR;
    if (streamId === 0 || type > FRAME.CONTINUATION || type === FRAME.PRIORITY)
      return CODE.NO_ERROR;
    return this.#slots.isIdle(streamId) ? CODE.PROTOCOL_ERROR : CODE.NO_ERROR;
  }

  #onSettings(flags: number, bytes: Buffer, start: number, end: number): ErrorCode {
    if ((flags & FLAG.ACK) !== 0) {
      this.#answers.onSettingsAck();
      return CODE.NO_ERROR;
    }
    const windowBefore = this.#peer.initialWindowSize;
    const problem = applySettings(bytes, start, end, this.#peer, (size) =>
      this.#encoder.setPeerLimit(size),
    );
    if (problem !== CODE.NO_ERROR) return problem;
    this.out.put(settingsAckFrame());
    const shift = this.#peer.initialWindowSize - windowBefore;
    const overflow = shift === 0 ? CODE.NO_ERROR : this.#sender.shiftStreams(shift);
    if (overflow !== CODE.NO_ERROR) return overflow;
    if (this.#isReady) this.#events.onRoom();
    else {
      this.#isReady = true;
      this.#events.onReady();
    }
    return CODE.NO_ERROR;
  }

  /** RFC 9113 section 6.9: an increment of 0 and a window above 2^31-1 are errors, of the stream or of the connection. */
  #onWindowUpdate(streamId: number, increment: number): ErrorCode {
    if (streamId === 0) {
      if (increment === 0) return CODE.PROTOCOL_ERROR;
      const problem = this.#sender.growConnection(increment);
      if (problem === CODE.NO_ERROR) this.#events.onRoom();
      return problem;
    }
    const slot = this.#slots.find(streamId);
    if (slot < 0) return CODE.NO_ERROR;
    const problem =
      increment === 0 ? CODE.PROTOCOL_ERROR : this.#sender.growStream(slot, increment);
    if (problem !== CODE.NO_ERROR) this.#giveUp(slot, problem, FAILED.connection);
    return CODE.NO_ERROR;
  }

  #onPing(flags: number, payload: Buffer): void {
    if ((flags & FLAG.ACK) === 0) this.out.put(pingFrame(FLAG.ACK, payload));
    else if (payload.equals(this.#ping)) this.#events.onPong();
  }

  /**
   * REFUSED_STREAM promises that nothing was processed (RFC 9113 section 8.7); servers on Node say ENHANCE_YOUR_CALM
   * for the same. Were one processed all the same, the device shows it once (P4).
   */
  #onReset(streamId: number, code: ErrorCode): void {
    const slot = this.#slots.find(streamId);
    if (slot < 0) return;
    const answer = this.#answers.cutAnswer(slot);
    const request = this.#close(slot);
    if (answer !== undefined) this.#events.onSettled(request, answer);
    else if (code === CODE.REFUSED_STREAM || code === CODE.ENHANCE_YOUR_CALM)
      this.#events.onUnprocessed(request, 'refused');
    else this.#events.onSettled(request, FAILED.connection);
  }

  /** Streams above the last id were not processed and never will be (RFC 9113 section 6.8). */
  #onGoaway(lastStreamId: number, code: ErrorCode): void {
    this.#isTornDown ||= code !== CODE.NO_ERROR;
    this.#drain(`GOAWAY ${code}`);
    for (const slot of this.#slots.openSlots()) {
      if (this.#slots.idOf(slot) <= lastStreamId) continue;
      const request = this.#close(slot);
      this.#events.onUnprocessed(request, 'session-ends');
    }
  }

  #drain(why: string): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#events.onDraining(why);
  }

  #onAnswer(slot: number, exchange: Exchange, endedByPeer: boolean): void {
    this.#answered++;
    if (!endedByPeer) this.#giveUp(slot, CODE.CANCEL, exchange);
    else if (!this.#sender.isDone(slot)) this.#giveUp(slot, CODE.NO_ERROR, exchange);
    else this.#events.onSettled(this.#close(slot), exchange);
  }

  /** Ends a stream from our side. */
  #giveUp(slot: number, code: ErrorCode, exchange: Exchange): void {
    this.#reset(slot, code);
    this.#events.onSettled(this.#close(slot), exchange);
  }

  #reset(slot: number, code: ErrorCode): void {
    this.out.put(wordFrame(FRAME.RST_STREAM, this.#slots.idOf(slot), code));
  }

  #close(slot: number): number {
    this.#sender.forget(slot);
    this.#slots.close(slot);
    return this.#slots.requests[slot] ?? -1;
  }
}
