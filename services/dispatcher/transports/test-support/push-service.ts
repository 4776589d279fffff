import type { IncomingHttpHeaders } from 'node:http';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

export interface ReceivedPush {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly httpVersion: string;
}

/** What both protocols' requests and responses have, as far as a test needs it. */
interface Request {
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly socket: { destroy(): unknown };
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error' | 'end', listener: () => void): unknown;
}
interface Response {
  writeHead(status: number, headers?: Record<string, string>): unknown;
  end(): unknown;
  on(event: 'error', listener: () => void): unknown;
}
export type AnswerPush = (request: Request, response: Response, count: number) => void;

/** A push service with HTTP/2 and HTTP/1.1, or with HTTP/1.1 alone. */
export class PushService {
  readonly received: ReceivedPush[] = [];
  readonly sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  connections = 0;
  onRequest: AnswerPush;
  readonly #server;

  constructor(
    certificate: Certificate,
    onRequest: AnswerPush = (_request, response) => {
      response.writeHead(201);
      response.end();
    },
    hasHttp2 = true,
  ) {
    this.onRequest = onRequest;
    const settings = { maxConcurrentStreams: 100 };
    const onEach = (request: Request, response: Response) => this.#onRequest(request, response);
    this.#server = hasHttp2
      ? createSecureServer({ ...certificate, allowHTTP1: true, settings }, onEach)
      : createServer({ ...certificate, keepAliveTimeout: 60_000 }, onEach);
    this.#server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.#server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.on('error', () => undefined);
      session.once('close', () => this.#sessions.delete(session));
    });
  }

  #onRequest(request: Request, response: Response): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '', headers, httpVersion } = request;
      this.received.push({ url, headers, httpVersion, body: Buffer.concat(chunks) });
      this.onRequest(request, response, this.received.length);
    });
  }

  /** Resolves with its origin. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every HTTP/2 session gracefully: what it has is answered, nothing more is taken. */
  goAway(): void {
    for (const session of this.#sessions) session.close();
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.cut();
    await closed;
  }
}
