import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { BoundedBody, type Exchange, FAILED, successAnswer } from './exchange.ts';
import { type OpenCall, OpenCalls } from './open-calls.ts';
import { socketAddress } from './origin.ts';
import { bodyLength, type Post, type PostClient, wholeBody } from './post-client.ts';

export interface HttpsAgentOptions {
  /** Sockets per origin. Apple allows 100 unanswered requests over HTTP/1.1. */
  readonly socketsPerOrigin: number;
  /** Sockets over all origins that share the agent. */
  readonly maxSockets: number;
  /** An idle socket is closed after this time. */
  readonly idleMs: number;
  readonly ca?: string;
}

export interface HttpsPoolOptions {
  /** `https://host[:port]` */
  readonly origin: string;
  readonly deadlineMs: number;
  /** The most requests that may be on the wire or wait for a socket; more are answered `overloaded`. */
  readonly maxOpen: number;
}

export const HTTPS_AGENT_DEFAULTS = {
  socketsPerOrigin: 100,
  maxSockets: 1_000,
  idleMs: 60_000,
} as const satisfies HttpsAgentOptions;

export const HTTPS_POOL_DEFAULTS = {
  deadlineMs: 9_000,
  maxOpen: 2_000,
} as const satisfies Omit<HttpsPoolOptions, 'origin'>;

/** The sockets of one or more pools. Who makes it destroys it, after its pools. */
export function createHttpsAgent(options: HttpsAgentOptions): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets: options.socketsPerOrigin,
    maxFreeSockets: options.socketsPerOrigin,
    maxTotalSockets: options.maxSockets,
    timeout: options.idleMs,
    ALPNProtocols: ['http/1.1'],
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
}

interface Job {
  readonly post: Post;
  readonly call: OpenCall<Exchange>;
}

/**
 * POSTs over keep-alive HTTP/1.1 connections to one origin that has no HTTP/2. Every request settles by its deadline,
 * redirects are answers like any other, an answer's body is bounded. Connections open with the first requests.
 */
export class HttpsPool implements PostClient {
  readonly #agent: Agent;
  readonly #options: HttpsPoolOptions;
  readonly #address: ReturnType<typeof socketAddress>;
  readonly #calls: OpenCalls<Exchange>;
  readonly #firstReady = Promise.withResolvers<void>();
  /** The last request that needed a connection had one. */
  #isUp = false;
  #closed = false;

  constructor(options: HttpsPoolOptions, agent: Agent) {
    this.#address = socketAddress(options.origin);
    this.#options = options;
    this.#agent = agent;
    this.#calls = new OpenCalls({
      deadlineMs: options.deadlineMs,
      onDeadline: FAILED.timeout,
      onAbort: FAILED.aborted,
    });
  }

  /** A socket may carry one request at a time; until one is open, none. */
  get capacity(): number {
    return this.#isUp ? this.#agent.maxSockets : 0;
  }

  get ready(): Promise<void> {
    return this.#firstReady.promise;
  }

  post(post: Post, settle: (exchange: Exchange) => void): void {
    if (this.#closed) settle(FAILED.closed);
    else if (post.signal.aborted) settle(FAILED.aborted);
    else if (this.#calls.size >= this.#options.maxOpen) settle(FAILED.overloaded);
    else this.#send({ post, call: this.#calls.begin(post.signal, settle) }, true);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#calls.settleAll(FAILED.closed);
    this.#firstReady.resolve();
    return Promise.resolve();
  }

  #send(job: Job, mayRepeat: boolean): void {
    const { post, call } = job;
    // Host and path are given apart: joined again, a path that begins with // would name another host.
    const wire = httpsRequest({
      ...this.#address,
      path: post.path,
      method: 'POST',
      agent: this.#agent,
      headers: { ...post.headers, 'content-length': bodyLength(post) },
    });
    call.onEnd = (result) => {
      if (result.kind === 'failed') wire.destroy();
      if (result === FAILED.connection) this.#isUp = false;
    };
    this.#listen(job, wire, mayRepeat);
    wire.end(wholeBody(post));
  }

  #listen({ post, call }: Job, wire: ClientRequest, mayRepeat: boolean): void {
    let repeated = false;
    let answer: (() => void) | undefined;
    wire.once('response', (response) => {
      this.#isUp = true;
      this.#firstReady.resolve();
      answer = readAnswer(response, call);
    });
    wire.on('error', (error: NodeJS.ErrnoException) => {
      if (call.settled || repeated) return;
      answer?.();
      // The peer closed an idle connection at the moment that we took it: once more, on another one. Should it have
      // been processed after all, the device sees the same alert id and tag and shows it once.
      repeated =
        !call.settled && mayRepeat && wire.reusedSocket && STALE_SOCKET.has(error.code ?? '');
      if (repeated) this.#send({ post, call }, false);
      else call.settle(FAILED.connection);
    });
    wire.once('close', () => {
      if (repeated) return;
      answer?.();
      call.settle(FAILED.connection);
    });
  }
}

const STALE_SOCKET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Reads to the end, or to the limit. Returns what settles with the part that is there: a body that is cut off does not
 * matter, the status is the answer.
 */
function readAnswer(response: IncomingMessage, call: OpenCall<Exchange>): () => void {
  const status = response.statusCode ?? 0;
  const success = successAnswer(status);
  const body = new BoundedBody();
  const answer = () => {
    const retryAfter = response.headers['retry-after'];
    call.settle(success ?? { kind: 'answer', status, retryAfter, body: body.text() });
  };
  if (success !== undefined) response.resume();
  else
    response.on('data', (chunk: Buffer) => {
      if (body.add(chunk)) return;
      answer();
      response.destroy();
    });
  response.once('end', answer);
  response.once('error', answer);
  response.once('close', answer);
  return answer;
}
