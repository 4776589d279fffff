import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificate.ts';

export interface ProviderRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP/2 server over TLS whose answers, sessions and sockets a test has in its hands. */
export class Http2Provider {
  readonly server: Http2SecureServer;
  readonly sessions = new Set<ServerHttp2Session>();
  readonly sockets = new Set<Socket>();
  sessionsSeen = 0;
  open = 0;
  mostOpen = 0;
  answered = 0;
  readonly requests: ProviderRequest[] = [];
  onRequest: (request: ProviderRequest) => void;

  constructor(
    certificate: Certificate,
    onRequest: (request: ProviderRequest) => void,
    settings: Settings = {},
  ) {
    this.onRequest = onRequest;
    this.server = createSecureServer({ ...certificate, settings });
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server.on('session', (session) => {
      this.sessionsSeen++;
      this.sessions.add(session);
      session.on('error', () => undefined);
      session.once('close', () => this.sessions.delete(session));
    });
    this.server.on('sessionError', () => undefined);
    this.server.on('stream', (stream, headers) => this.#onStream(stream, headers));
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    stream.on('error', () => undefined);
    stream.once('close', () => this.open--);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => {
      const request = { stream, headers, body: Buffer.concat(chunks).toString('utf8') };
      this.requests.push(request);
      this.onRequest(request);
    });
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => {
      this.server.listen(port, '127.0.0.1', resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Cuts every connection without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    for (const session of this.sessions) session.destroy();
    this.cut();
    await closed;
  }
}

/** An answer with JSON, such as FCM's. */
export function answer(
  { stream }: ProviderRequest,
  status: number,
  body: unknown = {},
  headers: Record<string, string> = {},
): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
  stream.end(JSON.stringify(body));
}
