import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { z } from 'zod';
import { Http1Connection } from './http1-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import { RequestLog } from './request-log.ts';

/**
 * A provider that takes every message: HTTP/2 and HTTP/1.1 on one TLS port, answers after a fixed time, in a process of
 * its own. `sink-process.ts SETUP`; says its port when it listens, answers orders, and ends with whoever started it.
 */
const Setup = z.strictObject({
  kind: z.enum(['fcm', 'web-push']),
  replyMs: z.number().min(0),
  maxStreams: z.int().min(1),
  keyPem: z.string(),
  certPem: z.string(),
});
const Order = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('say') }),
  z.strictObject({ do: z.literal('begin-anew') }),
  z.strictObject({ do: z.literal('set'), replyMs: z.number(), stalled: z.string().nullable() }),
]);

const setup = Setup.parse(JSON.parse(process.argv[2] ?? ''));
const log = new RequestLog(setup.kind, setup.replyMs);
const server = createServer(
  { key: setup.keyPem, cert: setup.certPem, ALPNProtocols: ['h2', 'http/1.1'] },
  (socket) => {
    const connection =
      socket.alpnProtocol === 'h2'
        ? new Http2Connection(socket, log, setup.maxStreams)
        : new Http1Connection(socket, log);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => connection.feed(chunk));
  },
);
server.on('tlsClientError', () => undefined);
server.listen(0, '127.0.0.1', 4_096, () =>
  process.send?.({ port: (server.address() as AddressInfo).port }),
);
process.on('message', (message) => {
  const order = Order.parse(message);
  if (order.do === 'begin-anew') log.beginAnew();
  if (order.do === 'set') {
    log.replyMs = order.replyMs;
    log.stall(order.stalled ?? undefined);
  }
  process.send?.(log.stats());
});
process.once('disconnect', () => process.exit(0));
