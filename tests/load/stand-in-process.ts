import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { makeCertificate } from '../../services/dispatcher/transports/test-support/certificate.ts';
import type { StandIn } from './contender.ts';

/**
 * What FCM would be if it took every message at once: two ports of one process, HTTP/2 with FCM's limit of 100 streams,
 * and HTTP/1.1. Says on which ports when they listen; a message that lacks its token or data is refused.
 */
const { key, cert } = makeCertificate();
const ACCEPTED = JSON.stringify({ name: 'projects/tocsin-bench/messages/0:1' });
const JSON_TYPE = { 'content-type': 'application/json' };

const http2Server = createSecureServer({ key, cert, settings: { maxConcurrentStreams: 100 } });
http2Server.on('sessionError', () => undefined);
http2Server.on('stream', (stream: ServerHttp2Stream) => {
  stream.on('error', () => undefined);
  collect(stream, (status) => {
    stream.respond({ ':status': status, ...JSON_TYPE });
    stream.end(status === 200 ? ACCEPTED : '{}');
  });
});

const http1Server = createServer({ key, cert }, (request, response) => {
  collect(request, (status) => {
    response.writeHead(status, JSON_TYPE);
    response.end(status === 200 ? ACCEPTED : '{}');
  });
});
http1Server.keepAliveTimeout = 120_000;

function collect(request: Readable, answer: (status: 200 | 400) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    answer(body.includes('"token":') && body.includes('"data":{"alert":') ? 200 : 400);
  });
}

const listening = (server: typeof http2Server | typeof http1Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });

const [http2Port, http1Port] = await Promise.all([listening(http2Server), listening(http1Server)]);
process.send?.({ http2Port, http1Port, certPem: cert } satisfies StandIn);
process.once('disconnect', () => process.exit(0));
