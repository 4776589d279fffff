import { createServer, type Server } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { SignatureError } from '../../shared/envelope/signature.ts';
import { createLogger } from '../../shared/log/logger.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { nextBatch, type Peers, startPeers } from './peers.ts';

let peers: Peers | undefined;
let server: Server | undefined;
afterEach(async () => {
  await peers?.close();
  server?.close();
});

/** As long as a receipt may be: node names, counts and instants at their longest. */
function receipt(shard: number, pending: number): CompletionReceipt {
  return {
    v: 1,
    alertId: '0'.repeat(32),
    transport: 'web-push',
    shard,
    shards: 1024,
    node: 'n'.repeat(16),
    counts: { accepted: 999_999, gone: 999_999, rejected: 999_999, dropped: 999_999 },
    pending: Array.from({ length: pending }, (_, i) => String(i).padStart(22, 'p')),
    takenOverFrom: 'm'.repeat(16),
    revision: 999_999,
    at: '2026-07-14T20:31:07.000Z',
  };
}

test.each([0, 1, 2_000, 20_000])(
  'P12: receipts with %i pending each are said in order, in posts that a peer takes',
  (pending) => {
    const queue = Array.from({ length: 210 }, (_, shard) => receipt(shard, pending));
    const said: number[] = [];
    while (queue.length > 0) {
      const batch = nextBatch(queue);
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(batch).length).toBeLessThan(4 * 1024 * 1024);
      said.push(...batch.map(({ shard }) => shard));
      queue.splice(0, batch.length);
    }
    expect(said).toEqual(Array.from({ length: 210 }, (_, shard) => shard));
  },
);

test('small receipts go many at a time', () => {
  expect(nextBatch(Array.from({ length: 200 }, (_, shard) => receipt(shard, 0)))).toHaveLength(100);
  expect(nextBatch([])).toEqual([]);
});

/** A peer's journal that gives one alert a page; `onRequest` may break a connection. */
async function aPeer(alerts: readonly string[], onRequest: (count: number) => 'answer' | 'break') {
  let requests = 0;
  server = createServer((request, response) => {
    requests++;
    if (onRequest(requests) === 'break') {
      request.socket.destroy();
      return;
    }
    const since = Number(/since=[0-9a-f]*\.(\d+)/.exec(request.url ?? '')?.[1]);
    const jws = alerts[since];
    const entries = jws === undefined ? [] : [{ id: 'x', jws }];
    const cursor = `.${since + entries.length}.0`;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ cursor, entries, receipts: [] }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
}

function peersAt(
  url: string,
  refusal: (jws: string) => Error | undefined = () => undefined,
): { taken: string[]; refused: string[]; peers: Peers } {
  const taken: string[] = [];
  const refused: string[] = [];
  peers = startPeers({
    peers: [{ name: 'b', site: 'b', url }],
    token: 'token',
    takeAlert: async (jws) => {
      const error = refusal(jws);
      (error ? refused : taken).push(jws);
      if (error) throw error;
    },
    takeReceipt: () => undefined,
    metrics: createDispatcherMetrics(new Registry(), []),
    log: createLogger('dispatcher', 'a', 'silent'),
    now: Date.now,
  });
  return { taken, refused, peers };
}

test('P3: who asks a peer has read its journal to the end, without waiting for the next turn', async () => {
  const alerts = ['one', 'two'];
  const { taken, peers: links } = peersAt(await aPeer(alerts, () => 'answer'));
  await Promise.all(links.ask(new AbortController().signal));
  expect(taken).toEqual(['one', 'two']);
  alerts.push('three', 'four');
  const sinceMs = performance.now();
  await Promise.all(links.ask(new AbortController().signal));
  expect(taken).toEqual(['one', 'two', 'three', 'four']);
  expect(performance.now() - sinceMs).toBeLessThan(1_500);
});

test('P3: a connection that died in the freeze is not the peer’s answer: it is asked again', async () => {
  const url = await aPeer(['cancel'], (count) => (count === 1 ? 'break' : 'answer'));
  const { taken, peers: links } = peersAt(url);
  await Promise.all(links.ask(new AbortController().signal));
  expect(taken).toEqual(['cancel']);
});

test('P2: an alert that could not be written here is tried again, though the journal is read on; a forged one is not', async () => {
  let isFull = true;
  const {
    taken,
    refused,
    peers: links,
  } = peersAt(await aPeer(['one', 'forged', 'two'], () => 'answer'), (jws) => {
    if (jws === 'forged') return new SignatureError('not signed');
    return jws === 'one' && isFull ? new Error('disk full') : undefined;
  });
  await Promise.all(links.ask(new AbortController().signal));
  expect(taken).toEqual(['two']);
  isFull = false;
  const deadlineMs = Date.now() + 5_000;
  while (taken.length < 2 && Date.now() < deadlineMs) {
    await Promise.all(links.ask(new AbortController().signal));
  }
  expect(taken).toEqual(['two', 'one']);
  expect(refused.filter((jws) => jws === 'forged')).toHaveLength(1);
});

test('P2: a peer that is not there does not hold anybody up', async () => {
  const { taken, peers: links } = peersAt('http://127.0.0.1:9');
  await Promise.all(links.ask(new AbortController().signal));
  expect(taken).toEqual([]);
});
