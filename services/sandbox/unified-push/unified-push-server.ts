import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { FaultSwitches } from '../faults.ts';
import type { KeyAndCertificate } from '../provider-server.ts';
import { createTopics, messageId, type Since, type TopicMessage, type Topics } from './topics.ts';

interface UnifiedPushDeps {
  readonly tls: KeyAndCertificate;
  readonly faults: FaultSwitches;
  readonly now: Clock;
  readonly log: Logger;
}

/** ntfy takes 4,096 bytes of a message and leaves the rest unread (its `message-size-limit`). */
const MAX_MESSAGE_BYTES = 4_096;
const KEEPALIVE_MS = 45_000;
const TOPIC = /^\/([-_A-Za-z0-9]{1,64})$/;
const STREAM = /^\/([-_A-Za-z0-9]{1,64})\/(json|ws)$/;

/**
 * A self-hosted push service for UnifiedPush on an HTTPS port of its own, in the manner of ntfy: whoever knows a topic
 * posts to it, encrypted (RFC 8291), and is answered 200 with JSON; TTL and VAPID are ignored; receivers listen by
 * WebSocket or by a stream of JSON lines, and get binary bodies as base64.
 */
export async function listenUnifiedPush(
  { host, port }: { host: string; port: number },
  { tls, faults, now, log }: UnifiedPushDeps,
): Promise<{ port: number; close: () => Promise<void> }> {
  const topics = createTopics(now);
  const blackHole = () => faults.current().unifiedPush.blackHole;
  const server = createServer({ key: tls.keyPem, cert: tls.certPem });
  server.on('request', (request, response) => {
    answer(request, response, { topics, blackHole, now }).catch((error: unknown) => {
      log.debug(errorFields(error), 'UnifiedPush request failed');
      response.destroy();
    });
  });
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const target = streamOf(request);
    if (target?.kind !== 'ws') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('error', () => client.terminate());
      const ping = setInterval(() => client.ping(), KEEPALIVE_MS);
      const send = (line: TopicMessage) => client.send(JSON.stringify(line));
      const end = follow(target, send, { topics, now });
      client.on('close', () => {
        clearInterval(ping);
        end();
      });
    });
  });
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (faults.current().unifiedPush.down) socket.destroy();
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  const endAll = () => {
    for (const socket of connections) socket.destroy();
  };
  faults.watch(() => {
    if (faults.current().unifiedPush.down) endAll();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        endAll();
      }),
  };
}

interface Answering {
  readonly topics: Topics;
  readonly blackHole: () => boolean;
  readonly now: Clock;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { topics, blackHole, now }: Answering,
): Promise<void> {
  const url = urlOf(request);
  const topic = TOPIC.exec(url.pathname)?.[1];
  const stream = streamOf(request);
  if (request.method === 'GET' && url.pathname === '/v1/health')
    return sendJson(response, 200, { healthy: true });
  if (request.method === 'GET' && stream?.kind === 'json')
    return streamJson(response, stream, { topics, now });
  if (request.method === 'GET' && topic !== undefined && isUnifiedPush(request, url))
    return sendJson(response, 200, { unifiedpush: { version: 1 } });
  const isPost = request.method === 'POST' || request.method === 'PUT';
  if (!isPost || topic === undefined)
    return sendJson(response, 404, { code: 40401, http: 404, error: 'page not found' });
  const body = await readBody(request);
  if (blackHole()) {
    // Taken in the same words, and given to nobody.
    return sendJson(response, 200, lineNow('message', topic, now));
  }
  sendJson(response, 200, topics.publish(topic, body));
}

/** `?up=1`, or one of the headers that say the same; encrypted bodies are taken for it anyway. */
function isUnifiedPush(request: IncomingMessage, url: URL): boolean {
  const said = ['up', 'unifiedpush', 'x-unifiedpush'].map(
    (name) => url.searchParams.get(name) ?? request.headers[name],
  );
  return said.some((value) => value === '1' || value === 'true' || value === 'yes');
}

interface StreamTarget {
  readonly topic: string;
  readonly kind: string;
  readonly since: Since;
  /** What is kept, then the end. */
  readonly poll: boolean;
}

function streamOf(request: IncomingMessage): StreamTarget | undefined {
  const url = urlOf(request);
  const [, topic, kind] = STREAM.exec(url.pathname) ?? [];
  if (topic === undefined || kind === undefined) return undefined;
  const poll = url.searchParams.get('poll') === '1';
  return { topic, kind, poll, since: sinceOf(url.searchParams.get('since'), poll) };
}

function sinceOf(text: string | null, poll: boolean): Since {
  if (text === 'all' || (text === null && poll)) return 'all';
  if (text === null || text === 'none') return 'none';
  return /^\d+$/.test(text) ? { time: Number(text) } : { id: text };
}

function follow(
  { topic, since }: StreamTarget,
  send: (line: TopicMessage) => void,
  { topics, now }: Pick<Answering, 'topics' | 'now'>,
): () => void {
  const end = topics.subscribe(topic, send);
  send(lineNow('open', topic, now));
  for (const message of topics.kept(topic, since)) send(message);
  return end;
}

function streamJson(
  response: ServerResponse,
  target: StreamTarget,
  { topics, now }: Pick<Answering, 'topics' | 'now'>,
): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8' });
  const send = (line: TopicMessage) => response.write(`${JSON.stringify(line)}\n`);
  if (target.poll) {
    for (const message of topics.kept(target.topic, target.since)) send(message);
    response.end();
    return;
  }
  const end = follow(target, send, { topics, now });
  const keepalive = setInterval(() => send(lineNow('keepalive', target.topic, now)), KEEPALIVE_MS);
  response.on('close', () => {
    clearInterval(keepalive);
    end();
  });
}

/** A line without a message. */
function lineNow(event: TopicMessage['event'], topic: string, now: Clock): TopicMessage {
  return { id: messageId(), time: Math.floor(now() / 1000), event, topic };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes < MAX_MESSAGE_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, MAX_MESSAGE_BYTES);
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'https://push');
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
