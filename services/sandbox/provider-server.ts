import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { type Connections, trackConnections } from './connections.ts';
import {
  type CertificateChoice,
  connectionFault,
  type FaultSwitches,
  latencyOf,
  type Provider,
} from './faults.ts';
import type { createPace } from './pace.ts';
import type { ProviderAnswer, ProviderRequest } from './provider-answer.ts';
import type { ProviderStats } from './provider-stats.ts';
import { writeAnswer } from './write-answer.ts';

/** One address of the port: which requests it takes, whose switches and counts apply, and what answers. */
export interface ProviderRoute {
  readonly matches: (method: string, path: string) => boolean;
  /** Undefined: no switch applies and nothing is counted (the token endpoint). */
  readonly provider: Provider | undefined;
  /** Default: what no message of either provider reaches. */
  readonly maxBodyBytes?: number;
  readonly answer: (request: ProviderRequest) => ProviderAnswer | Promise<ProviderAnswer>;
}

/** A private key and its certificate, PEM. */
export interface KeyAndCertificate {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface ProviderServerDeps {
  readonly certificates: Readonly<
    Partial<Record<CertificateChoice, KeyAndCertificate>> & { good: KeyAndCertificate }
  >;
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

/**
 * An HTTPS port that answers for all providers: HTTP/2, and HTTP/1.1 for whoever can't. `of`: those whose address it is,
 * and whose certificate it shows.
 */
export async function listenProviders(
  { host, port, of }: { host: string; port: number; of: readonly Provider[] },
  deps: ProviderServerDeps,
): Promise<ProviderServer> {
  const server = createSecureServer({
    ...contextOf(deps.certificates.good),
    allowHTTP1: true,
    settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS },
  });
  const connections = trackConnections(server);
  server.on('request', (request, response) => {
    serve(request, response, connections, deps).catch((error: unknown) => {
      deps.log.error(errorFields(error), 'provider request failed');
      if (!response.headersSent) void writeAnswer(response, { status: 500, headers: {} }, 0);
    });
  });
  let shown: CertificateChoice = 'good';
  deps.faults.watch(() => {
    const faults = deps.faults.current();
    const wanted = of.map((each) => faults[each].certificate).find((each) => each !== 'good');
    if ((wanted ?? 'good') === shown) return;
    shown = wanted ?? 'good';
    server.setSecureContext(contextOf(deps.certificates[shown] ?? deps.certificates.good));
    // A front end that is set up anew keeps nobody, and whoever comes back sees what it shows now.
    connections.endAll();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => connections.close() };
}

function contextOf({ keyPem, certPem }: KeyAndCertificate) {
  return { key: keyPem, cert: certPem };
}

async function serve(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  connections: Connections,
  deps: ProviderServerDeps,
): Promise<void> {
  const path = request.url.split('?')[0] ?? '';
  response.on('error', () => undefined);
  request.on('error', () => undefined);
  const route = deps.routes.find(({ matches }) => matches(request.method, path));
  const provider = route?.provider;
  const faults = provider && deps.faults.current()[provider];
  // What comes behind an abrupt GOAWAY is not looked at: the sender was told that it would not be.
  if (connections.isBrokenOff(request)) return;
  const fault =
    faults && provider ? connectionFault(faults, deps.stats.requested(provider)) : 'none';
  if (provider && (fault === 'reset' || fault === 'hang' || fault === 'abrupt-goaway')) {
    deps.stats.unanswered(provider);
    if (fault === 'reset') connections.reset(request);
    else if (fault === 'abrupt-goaway') connections.breakOff(request);
    else request.resume();
    return;
  }
  if (fault === 'goaway') sayGoaway(request, response);
  const body = await readBody(request, route?.maxBodyBytes ?? MAX_BODY_BYTES);
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
  await writeAnswer(response, answer, faults?.trickleMs ?? 0);
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

function readBody(
  request: Http2ServerRequest,
  maxBytes: number,
): Promise<Buffer | 'too-large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else resolve('too-large');
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('aborted', () => resolve('aborted'));
    request.on('close', () => resolve('aborted'));
  });
}
