import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createLogger } from '../../../shared/log/logger.ts';
import { createFrameReader, encodeFrame } from '../../../shared/mcs/frame-reader.ts';
import { decodeStanza, encodeStanza, type Stanza } from '../../../shared/mcs/stanzas.ts';
import { type McsConnection, serveMcsConnection } from './mcs-connection.ts';

const log = createLogger('sandbox', 'test', 'silent');
const VERSION = Buffer.from([41]);
const LOGIN = encodeStanza({
  kind: 'login-request',
  id: 'test',
  domain: 'mcs.android.com',
  user: '1',
  resource: '1',
  authToken: '2',
  receivedIds: [],
});

interface Served {
  readonly client: Duplex;
  readonly heard: Stanza[];
  readonly connections: McsConnection[];
  readonly acknowledged: string[];
  readonly isOver: () => boolean;
}

const served: Duplex[] = [];
afterEach(() => {
  for (const side of served.splice(0)) side.destroy();
});

function serve(timings = { loginMs: 10_000, pingMs: 10_000 }): Served {
  const [client, server] = duplexPair();
  served.push(client, server);
  const heard: Stanza[] = [];
  const connections: McsConnection[] = [];
  const acknowledged: string[] = [];
  const reader = createFrameReader();
  client.on('data', (chunk: Buffer) => heard.push(...reader.push(chunk).map(decodeStanza)));
  client.on('error', () => undefined);
  serveMcsConnection(server, {
    knows: ({ androidId, securityToken }) => androidId === '1' && securityToken === '2',
    onLogin: (connection) => connections.push(connection),
    onEnd: (connection) => connections.splice(connections.indexOf(connection), 1),
    acknowledge: (_androidId, ids) => acknowledged.push(...ids),
    timings,
    now: () => 0,
    log,
  });
  return { client, heard, connections, acknowledged, isOver: () => server.destroyed };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5_000; !isSo(); await turn())
    if (Date.now() > deadline) throw new Error(`did not happen in time: ${what}`);
}

test('fuzz: whatever a client says, before its login or behind it, nothing is thrown; the connection lives or ends', async () => {
  const said = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    fc
      .record({ tag: fc.nat(12), body: fc.uint8Array({ maxLength: 60 }) })
      .map(({ tag, body }) => encodeFrame({ tag, body: Buffer.from(body) })),
    fc.constant(LOGIN),
    fc.nat(50).map((lastStreamId) => encodeStanza({ kind: 'heartbeat-ping', lastStreamId })),
    fc.constant(encodeStanza({ kind: 'close' })),
  );
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(said, { maxLength: 12 }), async (logIn, words) => {
      const { client, connections, isOver } = serve();
      client.write(Buffer.concat([VERSION, ...(logIn ? [LOGIN] : []), ...words]));
      await turn();
      connections[0]?.deliver({ persistentId: 'id', bytes: encodeStanza({ kind: 'close' }) });
      client.destroy();
      await turn();
      expect(isOver() || connections.length <= 1).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('who does not log in in time is sent away', async () => {
  const { client, isOver } = serve({ loginMs: 20, pingMs: 10_000 });
  client.write(VERSION);
  await until('over', isOver);
});

test('who answers heartbeats stays, who does not is gone', async () => {
  const { client, heard, connections, isOver } = serve({ loginMs: 1_000, pingMs: 30 });
  client.write(Buffer.concat([VERSION, LOGIN]));
  for (let count = 1; count <= 3; count++) {
    const pings = () => heard.filter(({ kind }) => kind === 'heartbeat-ping').length;
    await until('a heartbeat', () => pings() >= count);
    client.write(encodeStanza({ kind: 'heartbeat-ack' }));
  }
  expect(connections).toHaveLength(1);
  await until('over', isOver);
  await until('told', () => connections.length === 0);
});

test('a client that reads nothing is left before it costs memory; so is one that acknowledges nothing', async () => {
  const deaf = serve();
  deaf.client.write(Buffer.concat([VERSION, LOGIN]));
  await until('logged in', () => deaf.connections.length === 1);
  deaf.client.pause();
  const [connection] = deaf.connections;
  const bytes = Buffer.alloc(60_000);
  const taken = Array.from({ length: 100 }, () => connection?.deliver({ bytes }));
  expect(taken.filter(Boolean).length).toBeLessThan(40);
  await until('over', deaf.isOver);
  const lazy = serve();
  lazy.client.write(Buffer.concat([VERSION, LOGIN]));
  await until('logged in', () => lazy.connections.length === 1);
  const [patient] = lazy.connections;
  const small = encodeStanza({ kind: 'data', from: 'x', category: 'y', appData: {} });
  const counts = Array.from({ length: 1_100 }, (_, i) =>
    patient?.deliver({ persistentId: String(i), bytes: small }),
  );
  expect(counts.filter(Boolean)).toHaveLength(1_000);
});

test('a stream acknowledgement is for all up to it, and for each once', async () => {
  const { client, connections, acknowledged } = serve();
  client.write(Buffer.concat([VERSION, LOGIN]));
  await until('logged in', () => connections.length === 1);
  const bytes = encodeStanza({ kind: 'data', from: 'x', category: 'y', appData: {} });
  for (const persistentId of ['a', 'b', 'c']) connections[0]?.deliver({ persistentId, bytes });
  client.write(encodeStanza({ kind: 'heartbeat-ping', lastStreamId: 3 }));
  await until('two', () => acknowledged.length === 2);
  client.write(encodeStanza({ kind: 'heartbeat-ping', lastStreamId: 4 }));
  await until('all', () => acknowledged.length === 3);
  expect(acknowledged).toEqual(['a', 'b', 'c']);
});
