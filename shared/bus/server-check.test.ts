import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Listening, listen } from '../http/listen.ts';
import { syncsEveryWrite } from './server-check.ts';

const servers: Listening[] = [];

async function server(config: object): Promise<string> {
  const started = await listen(
    (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ config }));
    },
    { host: '127.0.0.1', port: 0 },
  );
  servers.push(started);
  return `http://127.0.0.1:${started.port}`;
}

let synced: string;
let unsynced: string;
/** Nothing listens there any more. */
let dead: string;

beforeAll(async () => {
  synced = await server({ sync_always: true });
  unsynced = await server({});
  dead = await server({ sync_always: true });
  await servers.pop()?.close();
});

afterAll(async () => {
  await Promise.all(servers.map((each) => each.close()));
});

test('P1: a dead server of a cluster has no say while another answers', async () => {
  expect(await syncsEveryWrite([dead, synced])).toBe(true);
  expect(await syncsEveryWrite([synced])).toBe(true);
});

test('P1: one server that does not sync is enough to refuse the bus', async () => {
  expect(await syncsEveryWrite([synced, unsynced])).toBe(false);
  expect(await syncsEveryWrite([unsynced, dead])).toBe(false);
});

test('P1: a bus that nobody can be asked about is not taken for one that syncs', async () => {
  await expect(syncsEveryWrite([dead])).rejects.toThrow('monitoring');
});
