import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import { backoffMs } from '../time/backoff.ts';
import { sleep } from '../time/sleep.ts';
import {
  ACK_DECRYPT_ERROR,
  ACK_DELIVERED,
  type NotificationMessage,
  parseServerMessage,
  type ServerMessage,
} from './autopush-messages.ts';

/** A receiver's identity at the push service. To be kept by the caller, so that a restart keeps its endpoint. */
export interface AutopushIdentity {
  /** User agent id that the server gave us. */
  readonly uaid: string;
  readonly channelId: string;
  /** Where senders post to. A secret: who knows it can send to us. */
  readonly endpoint: string;
}

interface AutopushOptions {
  /** WebSocket address of the service, such as `wss://push.services.mozilla.com/`. */
  readonly url: string;
  /** Our senders' public VAPID key (base64url): the service binds the endpoint to it. */
  readonly vapidPublicKey: string;
  /** The identity of an earlier run. */
  readonly identity?: AutopushIdentity | undefined;
  /** Pause between application pings. Never under 45 s with the real service, which cuts off who pings more often. */
  readonly pingMs?: number;
}

interface AutopushDeps {
  readonly log: Logger;
  readonly random: () => number;
  /** After each connection: the identity, whether it is the one from before or a new one. */
  readonly onIdentity: (identity: AutopushIdentity) => void;
  /**
   * One message body, as encrypted by its sender. `undecryptable` is acknowledged as such: silence would keep it and
   * everything behind it in the server's store for ever.
   */
  readonly onMessage: (body: Buffer) => Promise<'delivered' | 'undecryptable'>;
}

const HANDSHAKE_LIMIT_MS = 5_000;
const PING_MS = 60_000;
const PONG_LIMIT_MS = 10_000;
const LEAVE_LIMIT_MS = 1_000;
const RECONNECT = { firstMs: 500, maxMs: 15_000 };
/** A push is at most 4 KB before base64url. */
const MAX_FRAME_BYTES = 64 * 1024;

/**
 * A receiver that speaks Mozilla's autopush protocol as a browser does (sub-protocol `push-notification`). Connects for
 * ever, with jitter; keeps its identity as long as the service knows it, and registers anew when the service does not.
 */
export class AutopushClient {
  readonly #options: AutopushOptions;
  readonly #deps: AutopushDeps;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #identity: AutopushIdentity | undefined;
  #socket: WebSocket | undefined;
  #connected = false;

  constructor(options: AutopushOptions, deps: AutopushDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#identity = options.identity;
    this.#running = this.#run();
  }

  /** True from a completed handshake until the connection ends. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Drops the connection and makes a new one; with `forget`, under a new identity and endpoint. */
  reconnect({ forget }: { forget: boolean }): void {
    if (forget) this.#identity = undefined;
    this.#socket?.terminate();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#socket?.terminate();
    await this.#running;
  }

  /** Ends as `close` does, after what was said last (acknowledgements) has gone out; a second later at most. */
  async leave(): Promise<void> {
    this.#stop.abort();
    const socket = this.#socket;
    socket?.close();
    const tooLong = setTimeout(() => socket?.terminate(), LEAVE_LIMIT_MS);
    await this.#running;
    clearTimeout(tooLong);
  }

  async #run(): Promise<void> {
    for (let failures = 1; !this.#stop.signal.aborted; failures++) {
      try {
        await this.#connection(() => {
          failures = 1;
        });
      } catch (error) {
        this.#deps.log.debug(errorFields(error), 'push service cannot be reached');
      }
      this.#connected = false;
      await sleep(backoffMs(failures, RECONNECT, this.#deps.random()), this.#stop.signal);
    }
  }

  /** One connection from opening to end. Rejects when it could not be opened or broke. */
  #connection(onReady: () => void): Promise<void> {
    const socket = new WebSocket(this.#options.url, 'push-notification', {
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    const timers = new ConnectionTimers(() => socket.terminate());
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', () => {
        timers.clear();
        if (this.#socket === socket) this.#connected = false;
        resolve();
      });
      socket.once('open', () => {
        timers.expect(HANDSHAKE_LIMIT_MS);
        // The server hangs up unless it hears hello within five seconds.
        const uaid = this.#identity?.uaid;
        send(socket, { messageType: 'hello', use_webpush: true, ...(uaid ? { uaid } : {}) });
      });
      socket.on('message', (data) => {
        const message = parseServerMessage(String(data));
        if (message === undefined) return;
        if (this.#connected) timers.heard();
        if (message === 'pong') return;
        this.#handle(socket, message, () => {
          timers.ready(() => send(socket, {}), this.#options.pingMs ?? PING_MS);
          onReady();
        });
      });
    });
  }

  #handle(socket: WebSocket, message: ServerMessage, onReady: () => void): void {
    switch (message.messageType) {
      case 'hello':
        this.#onHello(socket, message, onReady);
        return;
      case 'register':
        this.#onRegister(socket, message, onReady);
        return;
      case 'notification':
        void this.#onNotification(socket, message);
        return;
    }
  }

  #onHello(
    socket: WebSocket,
    hello: Extract<ServerMessage, { messageType: 'hello' }>,
    onReady: () => void,
  ): void {
    if (hello.status !== 200 || hello.uaid === undefined) {
      this.#deps.log.warn({ status: hello.status }, 'push service refused hello');
      socket.terminate();
      return;
    }
    if (this.#identity?.uaid === hello.uaid) {
      this.#ready(this.#identity, onReady);
      return;
    }
    // Another uaid than ours: the service has forgotten us, and our endpoint with us.
    this.#identity = { uaid: hello.uaid, channelId: randomUUID(), endpoint: '' };
    send(socket, {
      messageType: 'register',
      channelID: this.#identity.channelId,
      key: this.#options.vapidPublicKey,
    });
  }

  #onRegister(
    socket: WebSocket,
    answer: Extract<ServerMessage, { messageType: 'register' }>,
    onReady: () => void,
  ): void {
    const pending = this.#identity;
    if (!pending || answer.channelID !== pending.channelId) return;
    if (answer.status !== 200 || answer.pushEndpoint === undefined) {
      this.#deps.log.warn({ status: answer.status }, 'push service refused to register');
      this.#identity = undefined;
      socket.terminate();
      return;
    }
    this.#identity = { ...pending, endpoint: answer.pushEndpoint };
    this.#ready(this.#identity, onReady);
  }

  #ready(identity: AutopushIdentity, onReady: () => void): void {
    this.#connected = true;
    onReady();
    this.#deps.onIdentity(identity);
  }

  async #onNotification(socket: WebSocket, message: NotificationMessage): Promise<void> {
    const body = Buffer.from(message.data ?? '', 'base64url');
    const result = await this.#deps.onMessage(body).catch((error: unknown) => {
      this.#deps.log.error(errorFields(error), 'a message could not be handled');
      return 'undecryptable' as const;
    });
    const code = result === 'delivered' ? ACK_DELIVERED : ACK_DECRYPT_ERROR;
    const update = { channelID: message.channelID, version: message.version, code };
    send(socket, { messageType: 'ack', updates: [update] });
  }
}

function send(socket: WebSocket, message: object): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Ends a connection on which the server is silent although it should speak. */
class ConnectionTimers {
  readonly #onSilence: () => void;
  #limit: NodeJS.Timeout | undefined;
  #ping: NodeJS.Timeout | undefined;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** The server has to speak within this time. */
  expect(ms: number): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(this.#onSilence, ms);
  }

  heard(): void {
    clearTimeout(this.#limit);
  }

  /** The handshake is done: from now on a ping each `everyMs`, each to be answered. */
  ready(ping: () => void, everyMs: number): void {
    this.heard();
    this.#ping = setInterval(() => {
      ping();
      this.expect(PONG_LIMIT_MS);
    }, everyMs);
  }

  clear(): void {
    clearTimeout(this.#limit);
    clearInterval(this.#ping);
  }
}
