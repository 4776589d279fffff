import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Alert } from '../../shared/alert/alert.ts';
import { alertId } from '../../shared/alert/alert-id.ts';

export type IntakeMode = 'store' | 'hang' | 'fail' | 'conflict';

/** A small HTTP server that answers as a dispatcher (or, for intake, an edge) does, and can be told to misbehave. */
export interface StandInDispatcher {
  readonly url: string;
  /** Envelopes it was handed, by alert id. */
  readonly stored: ReadonlyMap<string, string>;
  /** Lets it hand out something as the envelope of an id, true or not. */
  readonly put: (id: string, jws: string) => void;
  mode: IntakeMode;
  /** What it says of the audience; undefined: it hangs. */
  audience: { fcm: number; 'web-push': number } | undefined;
  /** Cuts it off: nothing answers on its port. */
  readonly stop: () => Promise<void>;
  /** Lets it answer on the same port again. */
  readonly start: () => Promise<void>;
  readonly intakes: () => number;
}

export async function startStandInDispatcher(
  site: string,
  internalToken: string,
): Promise<StandInDispatcher> {
  const stored = new Map<string, string>();
  let intakes = 0;
  let port = 0;
  let server: Server | undefined;
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    if (request.headers.authorization !== `Bearer ${internalToken}`)
      return respond(response, 401, {});
    if (url.pathname === '/v1/audience')
      return standIn.audience && respond(response, 200, { v: 1, counts: standIn.audience });
    const [, id, what] =
      /^\/v1\/alerts\/([0-9a-f]{32})\/(progress|envelope)$/.exec(url.pathname) ?? [];
    const jwsOfId = stored.get(id ?? '');
    if (id !== undefined && jwsOfId === undefined) return respond(response, 404, {});
    if (jwsOfId !== undefined && what === 'envelope')
      return response.writeHead(200, { 'content-type': 'application/jose' }).end(jwsOfId);
    if (id !== undefined) return respond(response, 200, progress(site, id));
    if (url.pathname !== '/v1/intake' || request.headers['content-type'] !== 'application/jose')
      return respond(response, 404, {});
    intakes += 1;
    const jws = await bodyOf(request);
    if (standIn.mode === 'hang') return;
    if (standIn.mode === 'fail') return respond(response, 500, {});
    if (standIn.mode === 'conflict') return respond(response, 409, { title: 'conflict' });
    const envelopeId = await alertId(alertOf(jws));
    const result = stored.has(envelopeId) ? 'duplicate' : 'stored';
    stored.set(envelopeId, jws);
    respond(response, 200, { v: 1, result, site, node: site });
  };
  const start = async () => {
    server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const stop = async () => {
    const closing = server;
    server = undefined;
    if (!closing) return;
    const closed = new Promise((resolve) => closing.close(resolve));
    closing.closeAllConnections();
    await closed;
  };
  await start();
  const standIn: StandInDispatcher = {
    url: `http://127.0.0.1:${port}`,
    stored,
    put: (id, jws) => void stored.set(id, jws),
    mode: 'store',
    audience: { fcm: 600, 'web-push': 400 },
    start,
    stop,
    intakes: () => intakes,
  };
  return standIn;
}

/** The alert in a signed envelope, unchecked: the stand-in trusts its test. */
export function alertOf(jws: string): Alert {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()).alert;
}

function progress(site: string, id: string) {
  const at = new Date().toISOString();
  const fcm = {
    audience: 600,
    counts: { accepted: 300, gone: 1, rejected: 0, dropped: 0 },
    pending: 0,
    shardsTotal: 16,
    shardsOwn: 8,
    shardsByPeers: 8,
    acceptedKnown: 599,
    firstAcceptedAt: at,
    lastAcceptedAt: at,
  };
  return {
    v: 1,
    node: site,
    site,
    alertId: id,
    state: 'done',
    lanes: ['direct'],
    receivedAt: at,
    transports: { fcm },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function respond(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
