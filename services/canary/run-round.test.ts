import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Listening, listen } from '../../shared/http/listen.ts';
import { createRoundBook, type RoundBook } from './round-book.ts';
import { runRound } from './run-round.ts';

const PATH = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' } as const;
const LIMIT_MS = 300;

/** An ingest that answers 202 to all it gets, and does with each round's nonce what the test says. */
let ingest: Listening;
let onNonce: (nonce: string) => void;
let book: RoundBook;
let clock: number;
let late: number[];

beforeEach(async () => {
  clock = 0;
  late = [];
  onNonce = () => undefined;
  book = createRoundBook(() => clock);
  ingest = await listen(
    async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const [, nonce = ''] = /tocsin-nonce:([\w-]+)/.exec(Buffer.concat(chunks).toString()) ?? [];
      response.writeHead(202, { 'content-type': 'application/json' }).end('{}');
      onNonce(nonce);
    },
    { host: '127.0.0.1', port: 0 },
  );
});
afterEach(() => ingest.close());

const run = () =>
  runRound(
    PATH,
    {
      canary: 'a',
      sender: 'canary-a@alerte.example',
      apiKey: 'key',
      limitMs: LIMIT_MS,
      ingests: [{ name: 'a', site: 'a', url: `http://127.0.0.1:${ingest.port}` }],
      addresses: ['p'.repeat(22)],
    },
    {
      book,
      wallNow: Date.now,
      signal: new AbortController().signal,
      onLate: (_path, latencyMs) => late.push(latencyMs),
    },
  );
const receive = (nonce: string) =>
  book.receive({ probe: 'a-fcm', nonce, via: 'b', transport: 'fcm' });

test('P5: the acceptance of an ingest proves nothing; a receipt does', async () => {
  expect(await run()).toMatchObject({ kind: 'missed', stage: 'not-received' });
  onNonce = (nonce) => {
    clock = 20;
    receive(nonce);
  };
  expect(await run()).toEqual({ kind: 'proved', latencyMs: 20 });
  expect(late).toEqual([]);
});

test('P5: a receipt beyond the limit is late and proves nothing, whether the round was given up before it or not', async () => {
  let nonce = '';
  onNonce = (sent) => {
    nonce = sent;
    clock = LIMIT_MS + 1;
    receive(nonce);
  };
  // Our own timer may come after it.
  expect(await run()).toMatchObject({ kind: 'missed' });
  onNonce = (sent) => {
    nonce = sent;
  };
  expect(await run()).toMatchObject({ kind: 'missed' });
  clock += 2_000;
  expect(receive(nonce)).toBe('counted');
  expect(late).toEqual([LIMIT_MS + 1, 2_000]);
});
