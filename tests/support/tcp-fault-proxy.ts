import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the proxy does to what passes through it. Everything is off by default. */
export interface ProxyFaults {
  /** Each piece of data waits so long, in order, plus a random part of the jitter. */
  readonly delayMs: number;
  readonly jitterMs: number;
  /** Of each connection, in each direction; 0: no limit. */
  readonly bytesPerSecond: number;
  /** What goes to the client goes byte by byte, so long apart; 0: as it comes. */
  readonly trickleMs: number;
  /** Open connections are reset, new ones too. */
  readonly cut: boolean;
  /** Nothing is forwarded; connections stay, new ones are taken. What was sent meanwhile arrives when this ends, as TCP does. */
  readonly halfOpen: boolean;
  /** Only this direction is forwarded; the other one waits as with `halfOpen`. */
  readonly onlyTo: 'both' | 'server' | 'client';
  /** After so many bytes of a connection in one direction the rest of them is lost for good. */
  readonly loseAfterBytes: number;
  /** The request passes; when its answer comes back the connection is reset instead. */
  readonly cutBeforeAnswer: boolean;
}

const NO_FAULTS: ProxyFaults = {
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: 0,
  trickleMs: 0,
  cut: false,
  halfOpen: false,
  onlyTo: 'both',
  loseAfterBytes: Number.POSITIVE_INFINITY,
  cutBeforeAnswer: false,
};

type Direction = 'server' | 'client';

/** A piece of data that is about to be passed on. `connection` is the same object for all pieces of one connection. */
export interface Piece {
  readonly connection: object;
  readonly to: Direction;
  readonly data: Buffer;
}

/** Sees each piece right before it is passed on. With `drop` the connection is reset instead. */
export type Watcher = (piece: Piece) => 'pass' | 'drop';

/** One link between a client and a server, which can be made bad and good again while it is used. */
export class TcpFaultProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #random: () => number;
  readonly #pairs = new Set<readonly [client: Socket, server: Socket]>();
  readonly #waiting = new Set<() => void>();
  readonly #forgotten = new WeakSet<readonly [Socket, Socket]>();
  #faults = NO_FAULTS;
  #answersCut = 0;
  #watcher: Watcher | undefined;

  private constructor(
    server: Server,
    port: number,
    target: { readonly host: string; readonly port: number },
    random: () => number,
  ) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    this.#random = random;
    server.on('connection', (client) => this.#take(client));
  }

  /** Listens on a free port of the loopback. */
  static async start(
    target: { readonly host: string; readonly port: number },
    random: () => number = Math.random,
  ): Promise<TcpFaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new TcpFaultProxy(server, address.port, target, random);
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Answers that `cutBeforeAnswer` kept from their clients. */
  get answersCut(): number {
    return this.#answersCut;
  }

  /** Sets the faults, at once also for connections that are open; what is not named is off. */
  set(faults: Partial<ProxyFaults>): void {
    this.#faults = { ...NO_FAULTS, ...faults };
    if (this.#faults.cut) for (const pair of [...this.#pairs]) this.#reset(pair);
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Forgets the connections that are open, as a middle box does that lost its table: nothing comes through on them any
   * more, in either direction, and nobody is told. New ones work.
   */
  forget(): void {
    for (const pair of this.#pairs) this.#forgotten.add(pair);
  }

  /** Shows every piece of data from now on to the watcher; undefined ends it. */
  watch(watcher: Watcher | undefined): void {
    this.#watcher = watcher;
  }

  async close(): Promise<void> {
    for (const pair of [...this.#pairs]) this.#reset(pair);
    for (const wake of [...this.#waiting]) wake();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#faults.cut) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true });
    server.on('error', () => undefined);
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const socket of pair) socket.once('close', () => this.#reset(pair));
    void this.#forward(pair, 'server');
    void this.#forward(pair, 'client');
  }

  async #forward(pair: readonly [Socket, Socket], to: Direction): Promise<void> {
    const [client, server] = pair;
    const [from, into] = to === 'server' ? [client, server] : [server, client];
    let passed = 0;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#wait(chunk.length);
        await this.#untilOpen(pair, to);
        const { loseAfterBytes, cutBeforeAnswer } = this.#faults;
        if (to === 'client' && cutBeforeAnswer) {
          this.#answersCut++;
          break;
        }
        if (this.#watcher?.({ connection: pair, to, data: chunk }) === 'drop') break;
        const kept = chunk.subarray(0, Math.max(0, loseAfterBytes - passed));
        passed += chunk.length;
        if (to === 'client' && this.#faults.trickleMs > 0) await this.#trickle(pair, kept);
        else if (kept.length > 0 && !into.write(kept)) await once(into, 'drain');
      }
      if (!from.readableEnded) this.#reset(pair);
      else into.end();
    } catch {
      this.#reset(pair);
    }
  }

  async #wait(bytes: number): Promise<void> {
    const { delayMs, jitterMs, bytesPerSecond } = this.#faults;
    const sending = bytesPerSecond > 0 ? (1000 * bytes) / bytesPerSecond : 0;
    const waitMs = delayMs + jitterMs * this.#random() + sending;
    if (waitMs > 0) await delay(waitMs);
  }

  /** When the fault ends meanwhile, the rest goes in one piece. */
  async #trickle(pair: readonly [Socket, Socket], data: Buffer): Promise<void> {
    const [client] = pair;
    let at = 0;
    while (at < data.length && this.#faults.trickleMs > 0 && this.#pairs.has(pair)) {
      client.write(data.subarray(at, ++at));
      await delay(this.#faults.trickleMs);
    }
    if (at < data.length && this.#pairs.has(pair)) client.write(data.subarray(at));
  }

  async #untilOpen(pair: readonly [Socket, Socket], to: Direction): Promise<void> {
    const isShut = () =>
      this.#faults.halfOpen ||
      this.#forgotten.has(pair) ||
      (this.#faults.onlyTo !== 'both' && this.#faults.onlyTo !== to);
    while (isShut() && this.#pairs.has(pair))
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
  }

  #reset(pair: readonly [Socket, Socket]): void {
    if (!this.#pairs.delete(pair)) return;
    for (const socket of pair) {
      // One that is about to say its end cannot be reset any more: Node 24 then keeps its handle, and spins at its exit.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
    for (const wake of [...this.#waiting]) wake();
  }
}
