import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { connectionFault, type FaultSwitches, latencyOf, type Provider } from './faults.ts';
import type { createPace } from './pace.ts';
import type { ProviderAnswer, ProviderRequest } from './provider-answer.ts';
import type { ProviderStats } from './provider-stats.ts';

/** One address of the port: which requests it takes, whose switches and counts apply, and what answers. */
export interface ProviderRoute {
  readonly matches: (method: string, path: string) => boolean;
  /** Undefined: no switch applies and nothing is counted (the token endpoint). */
  readonly provider: Provider | undefined;
  readonly answer: (request: ProviderRequest) => ProviderAnswer | Promise<ProviderAnswer>;
}

interface ProviderServerDeps {
  readonly tls: { readonly keyPem: string; readonly certPem: string };
  readonly routes: readonly ProviderRoute[];
  readonly faults: FaultSwitches;
  readonly stats: ProviderStats;
  /** How long a request waits for its turn (ms). */
  readonly pace: ReturnType<typeof createPace>;
  readonly random: () => number;
  readonly log: Logger;
}

export interface ProviderServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Streams that a sender may have open on one connection, as Google's front end allows. */
const MAX_CONCURRENT_STREAMS = 100;
/** No message of either provider may be so large; what is above is cut off. */
const MAX_BODY_BYTES = 64 * 1024;

/** The HTTPS port of all providers: HTTP/2, and HTTP/1.1 for whoever can't. */
export async function listenProviders(
  { host, port }: { host: string; port: number },
  deps: ProviderServerDeps,
): Promise<ProviderServer> {
  const { keyPem: key, certPem: cert } = deps.tls;
  const server = createSecureServer({
    key,
    cert,
    allowHTTP1: true,
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  });
  const connections = trackConnections(server);
  server.on('request', (request, response) => {
    serve(request, response, connections.rawSocket, deps).catch((error: unknown) => {
      deps.log.error(errorFields(error), 'provider request failed');
      if (!response.headersSent) respond(response, { status: 500, headers: {} });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => connections.close() };
}

/** TLS hides the TCP socket that a reset needs, so it is remembered by the peer's port. */
function trackConnections(server: Http2SecureServer) {
  const sockets = new Map<number | undefined, Socket>();
  const sessions = new Set<ServerHttp2Session>();
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.on('close', () => sockets.delete(remotePort));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  return {
    rawSocket: (remotePort: number | undefined) => sockets.get(remotePort),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.close();
        setTimeout(() => {
          for (const socket of sockets.values()) socket.destroy();
        }, 200).unref();
      }),
  };
}

async function serve(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  rawSocket: (remotePort: number | undefined) => Socket | undefined,
  deps: ProviderServerDeps,
): Promise<void> {
  const path = request.url.split('?')[0] ?? '';
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const route = deps.routes.find(({ matches }) => matches(request.method, path));
  const provider = route?.provider;
  const faults = provider && deps.faults.current()[provider];
  const fault =
    faults && provider ? connectionFault(faults, deps.stats.requested(provider)) : 'none';
  if (provider && (fault === 'reset' || fault === 'hang')) {
    deps.stats.unanswered(provider);
    if (fault === 'reset') rawSocket(request.socket.remotePort)?.resetAndDestroy();
    else request.resume();
    return;
  }
  if (fault === 'goaway') sayGoaway(request, response);
  const body = await readBody(request);
  if (body === 'aborted') return;
  if (provider && faults) {
    const turnMs = deps.pace(provider, faults.messagesPerSecond);
    if (turnMs > 0) await sleep(turnMs);
    // A sender that died while it waited has sent nothing.
    if (senderIsGone(request)) {
      deps.stats.unanswered(provider);
      return;
    }
  }
  const answer =
    body === 'too-large'
      ? { status: 413, headers: {} }
      : route === undefined
        ? { status: 404, headers: {} }
        : await route.answer({ method: request.method, path, headers: request.headers, body });
  if (faults) {
    const waitMs = latencyOf(faults, deps.random());
    if (waitMs > 0) await sleep(waitMs);
  }
  if (provider) deps.stats.answered(provider, answer.status);
  respond(response, answer);
}

function senderIsGone(request: Http2ServerRequest): boolean {
  return request.httpVersionMajor < 2 ? request.socket.destroyed : request.stream.destroyed;
}

/** Streams that are open may end; new ones have to go to another connection. */
function sayGoaway(request: Http2ServerRequest, response: Http2ServerResponse): void {
  if (request.httpVersionMajor < 2) {
    response.setHeader('connection', 'close');
    return;
  }
  const { session } = request.stream;
  if (session === undefined || session.destroyed) return;
  session.goaway(0, request.stream.id);
  session.close();
}

function readBody(request: Http2ServerRequest): Promise<Buffer | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
      else resolve('too-large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('aborted', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}

function respond(response: Http2ServerResponse, { status, headers, body }: ProviderAnswer): void {
  if (response.destroyed || response.writableEnded) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' };
  response.writeHead(status, { ...type, ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
