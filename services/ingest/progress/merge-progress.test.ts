import { expect, test } from '@jest/globals';
import type { DispatchProgress, TransportProgress } from '../../../shared/receipt/progress.ts';
import {
  mergeProgress,
  type NodeAnswer,
  type ProgressSources,
  witnessedAfterSeconds,
} from './merge-progress.ts';

const ID = '0123456789abcdef0123456789abcdef';
const part = (changes: Partial<TransportProgress> = {}): TransportProgress => ({
  audience: 1000,
  counts: { accepted: 480, gone: 10, rejected: 1, dropped: 0 },
  pending: 5,
  shardsTotal: 16,
  shardsOwn: 8,
  shardsByPeers: 8,
  acceptedKnown: 900,
  firstAcceptedAt: '2026-07-14T20:31:08.100Z',
  lastAcceptedAt: '2026-07-14T20:31:09.000Z',
  ...changes,
});
const progress = (node: string, changes: Partial<DispatchProgress> = {}): NodeAnswer => ({
  node,
  site: node,
  answer: {
    v: 1,
    node,
    site: node,
    alertId: ID,
    state: 'done',
    lanes: ['bus', 'direct'],
    receivedAt: '2026-07-14T20:31:08.000Z',
    transports: { fcm: part() },
    ...changes,
  },
});
const merge = (changes: Partial<ProgressSources>) =>
  mergeProgress({
    nodes: [],
    witnesses: [],
    receipts: [],
    refused: false,
    cancelled: false,
    expired: false,
    ...changes,
  });

test('people are not counted twice: accepted and audience are the most that any node knows', () => {
  const merged = merge({
    nodes: [
      progress('a'),
      progress('b', {
        transports: {
          fcm: part({
            audience: 990,
            acceptedKnown: 960,
            pending: 2,
            firstAcceptedAt: '2026-07-14T20:31:08.050Z',
            lastAcceptedAt: '2026-07-14T20:31:10.000Z',
          }),
        },
      }),
    ],
  });
  expect(merged.transports).toEqual({
    fcm: {
      audience: 1000,
      accepted: 960,
      gone: 20,
      rejected: 2,
      pending: 5,
      firstAcceptedAt: '2026-07-14T20:31:08.050Z',
      lastAcceptedAt: '2026-07-14T20:31:10.000Z',
      timing: null,
    },
  });
});

test('gone and rejected, which both nodes may have met, never exceed who is left', () => {
  const all = part({
    audience: 100,
    acceptedKnown: 90,
    counts: { accepted: 90, gone: 8, rejected: 4, dropped: 0 },
  });
  const merged = merge({
    nodes: [
      progress('a', { transports: { fcm: all } }),
      progress('b', { transports: { fcm: all } }),
    ],
  });
  expect(merged.transports.fcm).toMatchObject({ accepted: 90, gone: 10, rejected: 0 });
});

test('P5: a node that says nothing is shown, not left out', () => {
  const merged = merge({ nodes: [progress('a'), { node: 'b', site: 'b', answer: 'no-answer' }] });
  expect(merged.nodes.map(({ node, state }) => [node, state])).toEqual([
    ['a', 'done'],
    ['b', 'no-answer'],
  ]);
  expect(merged.transports.fcm?.accepted).toBe(900);
});

const state = (...states: DispatchProgress['state'][]) =>
  states.map((each, i) => progress(`n${i}`, { state: each }));
test.each<[string, Partial<ProgressSources>, string]>([
  ['nobody answers', {}, 'unknown'],
  ['nobody answers and it is past', { expired: true }, 'expired'],
  ['it was refused', { refused: true }, 'not-stored'],
  [
    'it was refused and somebody has it all the same',
    { refused: true, nodes: state('sending') },
    'sending',
  ],
  ['one is still sending', { nodes: state('done', 'sending') }, 'sending'],
  ['one says sending after the end', { nodes: state('sending'), expired: true }, 'expired'],
  ['all are done', { nodes: state('done', 'done'), expired: true }, 'done'],
  ['one came too late', { nodes: state('done', 'journaled') }, 'done'],
  ['one knows of a Cancel', { nodes: state('sending', 'cancelled') }, 'cancelled'],
  ['we know of a Cancel', { nodes: state('sending'), cancelled: true }, 'cancelled'],
])('state when %s', (_what, sources, expected) => {
  expect(merge(sources).state).toBe(expected);
});

test('a probe that two canaries saw counts once, at its earliest; edges’ receipts add up', () => {
  const witness = {
    alertId: ID,
    probe: 'p1',
    transport: 'fcm',
    via: 'a',
    receivedAt: '2026-07-14T20:31:09.000Z',
  } as const;
  const merged = merge({
    witnesses: [
      { v: 1, canary: 'a', probes: 2, witnesses: [witness] },
      {
        v: 1,
        canary: 'b',
        probes: 2,
        witnesses: [
          { ...witness, receivedAt: '2026-07-14T20:31:08.500Z' },
          { ...witness, probe: 'p2' },
        ],
      },
    ],
    receipts: [
      { fcm: { shown: 3 } },
      { fcm: { shown: 2, replaced: 1 }, 'web-push': { ignored: 1 } },
      {},
    ],
  });
  expect(merged.probes).toMatchObject({ received: 2, total: 4 });
  expect(merged.probes.known[0]).toMatchObject({
    probe: 'p1',
    receivedAt: '2026-07-14T20:31:08.500Z',
  });
  expect(merged.deviceReceipts).toEqual({
    fcm: { shown: 5, replaced: 1 },
    'web-push': { ignored: 1 },
  });
});

test('P5: a probe that received it counts, also when its canary has registered fewer; no canary is nought of nought', () => {
  const witnesses = ['p1', 'p2'].map((probe) => ({
    alertId: ID,
    probe,
    transport: 'fcm' as const,
    via: 'a',
    receivedAt: '2026-07-14T20:31:09.000Z',
  }));
  const early = merge({ witnesses: [{ v: 1, canary: 'a', probes: 0, witnesses }] });
  expect(early.probes).toMatchObject({ received: 2, total: 2 });
  expect(merge({}).probes).toEqual({ received: 0, total: 0, known: [] });
  // The last of those that have it, by when it was signed; nobody yet is no number.
  expect(witnessedAfterSeconds('2026-07-14T20:31:07.900Z', early.probes)).toBe(1.1);
  expect(witnessedAfterSeconds('2026-07-14T20:31:09.100Z', early.probes)).toBe(0);
  expect(witnessedAfterSeconds('2026-07-14T20:31:07.900Z', merge({}).probes)).toBeNull();
});
