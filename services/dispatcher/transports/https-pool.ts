import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import {
  BoundedBody,
  type Exchange,
  type ExchangeFailure,
  type ExchangeRequest,
  PendingExchange,
} from './exchange.ts';

export interface HttpsPoolOptions {
  /** Sockets per origin. Apple allows 100 unanswered requests over HTTP/1.1. */
  readonly socketsPerOrigin: number;
  /** Sockets over all origins. */
  readonly maxSockets: number;
  readonly deadlineMs: number;
  /** An idle socket is closed after this time. */
  readonly idleMs: number;
  readonly ca?: string;
}

export const HTTPS_POOL_DEFAULTS = {
  socketsPerOrigin: 100,
  maxSockets: 1_000,
  deadlineMs: 9_000,
  idleMs: 60_000,
} as const satisfies HttpsPoolOptions;

/**
 * POSTs over keep-alive HTTP/1.1 connections to many origins. Every request settles by its deadline, redirects are
 * answers like any other, an answer's body is bounded.
 */
export class HttpsPool {
  readonly #agent: Agent;
  readonly #options: HttpsPoolOptions;
  readonly #pending = new Set<PendingExchange>();
  #closed = false;

  constructor(options: HttpsPoolOptions) {
    this.#options = options;
    this.#agent = new Agent({
      keepAlive: true,
      maxSockets: options.socketsPerOrigin,
      maxFreeSockets: options.socketsPerOrigin,
      maxTotalSockets: options.maxSockets,
      timeout: options.idleMs,
      ALPNProtocols: ['http/1.1'],
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
  }

  /** Never rejects. */
  request(origin: URL, request: ExchangeRequest): Promise<Exchange> {
    const refusal = this.#refusal(request.signal);
    if (refusal !== undefined) return Promise.resolve({ kind: 'failed', reason: refusal });
    const pending = new PendingExchange(request.signal, this.#options.deadlineMs);
    this.#pending.add(pending);
    this.#send(origin, request, pending, true);
    return pending.promise;
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const pending of [...this.#pending]) pending.fail('closed');
    this.#agent.destroy();
    return Promise.resolve();
  }

  #refusal(signal: AbortSignal): ExchangeFailure | undefined {
    if (this.#closed) return 'closed';
    return signal.aborted ? 'aborted' : undefined;
  }

  #send(origin: URL, request: ExchangeRequest, pending: PendingExchange, mayRepeat: boolean): void {
    // Host and path are given apart: joined again, a path that begins with // would name another host.
    const call = httpsRequest({
      hostname: origin.hostname,
      port: origin.port === '' ? 443 : Number(origin.port),
      path: request.path,
      method: 'POST',
      agent: this.#agent,
      headers: { ...request.headers, 'content-length': Buffer.byteLength(request.body) },
    });
    let repeated = false;
    pending.onEnd = (result) => {
      this.#pending.delete(pending);
      if (result.kind === 'failed') call.destroy();
    };
    let answer: (() => void) | undefined;
    call.once('response', (response) => {
      answer = readAnswer(response, pending);
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (pending.settled || repeated) return;
      answer?.();
      // The peer closed an idle connection at the moment that we took it: once more, on another one. Should it have
      // been processed after all, the device sees the same alert id and tag and shows it once.
      repeated =
        !pending.settled && mayRepeat && call.reusedSocket && STALE_SOCKET.has(error.code ?? '');
      if (repeated) this.#send(origin, request, pending, false);
      else pending.fail('connection');
    });
    call.once('close', () => {
      if (repeated) return;
      answer?.();
      pending.fail('connection');
    });
    call.end(request.body);
  }
}

const STALE_SOCKET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Reads to the end, or to the limit. Returns what settles with the part that is there: a body that is cut off does not
 * matter, the status is the answer.
 */
function readAnswer(response: IncomingMessage, pending: PendingExchange): () => void {
  const body = new BoundedBody();
  const answer = () => {
    pending.settle({
      kind: 'answer',
      status: response.statusCode ?? 0,
      retryAfter: response.headers['retry-after'],
      body: body.text(),
    });
  };
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
