import { expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { DispatchProgress } from '../../shared/receipt/progress.ts';
import { AlertTraces } from '../../shared/trace/alert-traces.ts';
import { TraceAnswer } from '../../shared/trace/trace-answer.ts';
import { anAlert, signedEnvelope } from '../../tests/support/alert-builder.ts';
import { dispatcherTrace } from './dispatcher-trace.ts';
import { Journal } from './journal.ts';

const NOW = Date.parse('2026-07-14T20:31:08Z');
const TIMING = { firstMs: 100, lastMs: 900, from: 0, counts: [0, 30] };

async function journalWith(state: 'open' | 'done') {
  const journal = new Journal(':memory:');
  const { jws, id } = await signedEnvelope(anAlert({ identifier: 'traced' }));
  journal.insert({
    id,
    jws,
    contentHash: 'hash',
    audience: 'public',
    receivedAtMs: NOW,
    expiresAtMs: NOW + 3_600_000,
    state,
    arrivals: ['direct', 'bus'],
  });
  return { journal, id };
}

const receipt = (alertId: string, changes: Partial<CompletionReceipt>): CompletionReceipt => ({
  v: 1,
  alertId,
  transport: 'fcm',
  shard: 0,
  shards: 4,
  node: 'a',
  counts: { accepted: 30, gone: 0, rejected: 0, dropped: 0 },
  pending: [],
  revision: 1,
  at: new Date(NOW + 2_000).toISOString(),
  ...changes,
});

const progressOf = (id: string, timings: Record<string, typeof TIMING>): DispatchProgress => ({
  v: 1,
  node: 'a',
  site: 'a',
  alertId: id,
  state: 'done',
  lanes: ['direct', 'bus'],
  receivedAt: new Date(NOW).toISOString(),
  transports: {
    fcm: {
      audience: 60,
      counts: { accepted: 30, gone: 0, rejected: 0, dropped: 0 },
      pending: 0,
      shardsTotal: 4,
      shardsOwn: 2,
      shardsByPeers: 2,
      acceptedKnown: 60,
      firstAcceptedAt: null,
      lastAcceptedAt: null,
      timings,
    },
  },
});

test('after a restart the journal still tells: arrival, take-overs, the end, and a dead peer’s acceptances', async () => {
  const { journal, id } = await journalWith('done');
  journal.addReceipt(receipt(id, { takenOverFrom: 'b', timing: TIMING }));
  journal.addReceipt(receipt(id, { node: 'b', shard: 1 }));
  const trace = dispatcherTrace(id, {
    node: 'a',
    site: 'a',
    journal,
    dispatch: { progress: () => progressOf(id, { a: TIMING, b: TIMING }) },
    traces: new AlertTraces(),
  });
  TraceAnswer.parse(trace);
  const events = trace?.events.map(({ name, attributes }) => [name, attributes.node]) ?? [];
  expect(events).toContainEqual(['arrived', undefined]);
  expect(events).toContainEqual(['taken-over', 'b']);
  expect(events).toContainEqual(['completed', undefined]);
  for (const name of ['first', 'p50', 'p95', 'p99', 'last'])
    for (const node of [undefined, 'b']) expect(events).toContainEqual([`${name}-accepted`, node]);
  expect(trace?.traceId).toBe(id);
  journal.close();
});

test('what this process noted is told once: the journal’s own word on it is left out; a Cancel’s is not', async () => {
  const { journal, id } = await journalWith('open');
  const traces = new AlertTraces({ now: () => NOW });
  traces.begin(id, 'public', { traceId: id, sampled: true });
  traces.note(id, 'arrived', { lane: 'direct', result: 'stored' });
  journal.end(id, 'f'.repeat(32), NOW + 5_000);
  const deps = { node: 'a', site: 'a', journal, traces };
  const trace = dispatcherTrace(id, { ...deps, dispatch: { progress: () => undefined } });
  expect(trace?.events.map(({ name }) => name)).toEqual(['arrived', 'ended-by-other']);
  expect(
    dispatcherTrace('0'.repeat(32), { ...deps, dispatch: { progress: () => undefined } }),
  ).toBeUndefined();
  journal.close();
});

test('P12: hundreds of shards that were taken over are one line of a timeline, also after a restart', async () => {
  const { journal, id } = await journalWith('done');
  for (let shard = 0; shard < 400; shard++)
    journal.addReceipt(receipt(id, { shard, shards: 512, takenOverFrom: 'b' }));
  const deps = { node: 'a', site: 'a', journal, traces: new AlertTraces() };
  const trace = dispatcherTrace(id, { ...deps, dispatch: { progress: () => undefined } });
  const { events } = TraceAnswer.parse(trace);
  expect(events.filter(({ name }) => name === 'taken-over')).toMatchObject([
    { attributes: { transport: 'fcm', node: 'b', count: 400 } },
  ]);
  journal.close();
});
