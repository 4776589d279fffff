import { createServer } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { listen } from '../../../shared/http/listen.ts';
import { startKnownDead } from './start-known-dead.ts';

const closing: (() => Promise<void>)[] = [];
const stops: AbortController[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort();
  for (const close of closing.splice(0)) await close();
});

/** A part that answers every question with this status. */
async function part(answer: { readonly status: number }): Promise<{ readonly url: string }> {
  const { port, close } = await listen(
    (_request, response) => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end('{}');
    },
    { host: '127.0.0.1', port: 0 },
  );
  closing.push(close);
  return { url: `http://127.0.0.1:${port}` };
}
/** A port that nobody listens on. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

test('P5: what does not answer, or says no, is dead since it was first found so; what is well is not mentioned', async () => {
  const stop = new AbortController();
  stops.push(stop);
  let nowMs = 1_000_000;
  const well = await part({ status: 200 });
  const unready = await part({ status: 503 });
  const away = await nobody();
  const connected = { fcm: true };
  const peer = (name: string, url: string) => ({ name, site: name, url });
  const natsSite = (site: string, monitorUrl: string) => ({
    site,
    url: 'nats://127.0.0.1:1',
    monitorUrl,
    replicas: 1 as const,
  });
  const known = startKnownDead(
    {
      nodes: [
        { kind: 'ingest', peer: peer('a', well.url) },
        { kind: 'dispatcher', peer: peer('b', unready.url) },
      ],
      natsSites: [natsSite('a', `${well.url},${away}`), natsSite('b', well.url)],
      probes: [{ name: 'a-fcm', connected: () => connected.fcm }],
      otherCanaries: () => [
        {
          name: 'b',
          reachable: false,
          newestProofAtMs: undefined,
          provedPaths: 0,
          totalPaths: 0,
          silentSinceMs: 999_000,
        },
      ],
    },
    { now: () => nowMs, signal: stop.signal },
  );
  const deadline = Date.now() + 10_000;
  while (known.parts().length < 3 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect(known.parts()).toEqual(
    expect.arrayContaining([
      { kind: 'dispatcher', name: 'b', answered: true, sinceMs: 1_000_000 },
      { kind: 'bus', name: 'a-2', answered: false, sinceMs: 1_000_000 },
      { kind: 'canary', name: 'b', answered: false, sinceMs: 999_000 },
    ]),
  );
  expect(known.parts()).toHaveLength(3);
  connected.fcm = false;
  const wanted = Date.now() + 10_000;
  while (known.parts().length < 4 && Date.now() < wanted) {
    nowMs += 1_000;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(known.parts()).toContainEqual(
    expect.objectContaining({ kind: 'probe', name: 'a-fcm', answered: false }),
  );
  stop.abort();
  await known.running;
});
