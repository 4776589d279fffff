import { expect, test } from '@jest/globals';
import { listen } from '../../../shared/http/listen.ts';
import { judgePath, newPathRecord, type RoundResult, recordRound } from '../judge.ts';
import { allPaths, pathName } from '../paths.ts';
import { createRoundBook } from '../round-book.ts';
import { runStoredRounds, storedPath, storedTiming } from './run-stored-rounds.ts';
import type { StoredProbe } from './stored-probe.ts';

const PATHS = allPaths(['a'], ['a', 'b']);
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };

const judged = (isProved: (dispatcher: string) => boolean) =>
  PATHS.map((path) => {
    const fresh = newPathRecord(path, 0);
    const record = isProved(path.dispatcher)
      ? recordRound(fresh, { kind: 'proved', latencyMs: 1 }, 0)
      : fresh;
    return judgePath(record, 1_000, TIMETABLE);
  });

const turns = (isProved: (dispatcher: string) => boolean) =>
  [0, 1, 2, 3, 4].map((turn) => {
    const path = storedPath(judged(isProved), turn);
    return path && pathName(path);
  });

test.each([
  [
    'all Web Push paths take turns',
    () => true,
    ['a:bus:a', 'a:bus:b', 'a:direct:a', 'a:direct:b', 'a:bus:a'],
  ],
  [
    'with a dead dispatcher only the paths of the other one do: its death is not the store’s',
    (dispatcher: string) => dispatcher === 'a',
    ['a:bus:a', 'a:direct:a', 'a:bus:a', 'a:direct:a', 'a:bus:a'],
  ],
  [
    'P5: with none proved all are tried: silence must not stop the asking',
    () => false,
    ['a:bus:a', 'a:bus:b', 'a:direct:a', 'a:direct:b', 'a:bus:a'],
  ],
])('%s', (_what, isProved, expected) => {
  expect(turns(isProved)).toEqual(expected.map((name) => `${name}:web-push`));
});

test('a message is kept for half a minute at the usual period, and a canary’s life is longer than that', () => {
  expect(storedTiming(300_000, 10_000)).toEqual({
    periodMs: 300_000,
    keptMs: 30_000,
    quietMs: 3_000,
    limitMs: 10_000,
  });
});

test.each([
  ['was not kept for it, and proves nothing', 'off', { kind: 'missed', stage: 'not-received' }],
  ['was', 'on', { kind: 'proved' }],
])('P5: what a probe receives while it is off or on: %s', async (_what, when, expected) => {
  const startedMs = performance.now();
  const book = createRoundBook(() => performance.now());
  let receive: () => unknown = () => undefined;
  const ingest = await listen(
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const [, nonce] = /tocsin-nonce:([\w-]+)/.exec(text) ?? [];
      const [, via] = /tocsin-path:a:bus:(\w+)/.exec(text) ?? [];
      receive = () => book.receive({ probe: 'a-stored', nonce, via, transport: 'web-push' });
      if (when === 'off') receive();
      response.writeHead(202, { 'content-type': 'application/json' }).end('{}');
    },
    { host: '127.0.0.1', port: 0 },
  );
  const stop = new AbortController();
  const ended = Promise.withResolvers<RoundResult>();
  const probe: Pick<StoredProbe, 'visit'> = {
    visit: async () => {
      if (when === 'on') receive();
      return true;
    },
  };
  const running = runStoredRounds(
    { periodMs: 400, keptMs: 20, quietMs: 10, limitMs: 1_000 },
    {
      probe: probe as StoredProbe,
      book,
      settings: {
        canary: 'a',
        sender: 'canary-a@alerte.example',
        apiKey: 'key',
        limitMs: 1_000,
        ingests: [{ name: 'a', site: 'a', url: `http://127.0.0.1:${ingest.port}` }],
        addresses: ['p'.repeat(22)],
      },
      judged: () => judged(() => true),
      registered: async () => undefined,
      onResult: (_path, result) => {
        ended.resolve(result);
        stop.abort();
      },
      everProved: () => true,
      wallNow: Date.now,
      // A minute's first second would hold up a test with so short a period.
      now: () => 30_000 + performance.now() - startedMs,
      random: () => 0.5,
      signal: stop.signal,
    },
  );
  expect(await ended.promise).toMatchObject(expected);
  await running;
  await ingest.close();
});
