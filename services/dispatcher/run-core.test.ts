import { expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Trust } from './ring.ts';
import { RunCore } from './run-core.ts';
import type { RunDecision, RunSetup, Surroundings } from './run-events.ts';

/** What the simulator found, each as the few events that show it. */

const ALERT = 'a'.repeat(32);

function aCore(more: Partial<RunSetup> = {}): RunCore {
  const cast = { self: 'a', nodes: ['a', 'b', 'c'] };
  const about = { alertId: ALERT, transport: 'fcm' as const, shards: 1, expiresAtMs: 1_000_000 };
  return new RunCore({ ...about, ...cast, ...more });
}

function around(facts: {
  nowMs: number;
  isReplicaWhole?: boolean;
  trust?: Trust;
  proved?: readonly string[];
}): Surroundings {
  return {
    nowMs: facts.nowMs,
    trust: () => facts.trust ?? 'trusted',
    isProved: (node) => (facts.proved ?? ['a', 'b', 'c']).includes(node),
    silent: () => false,
    isReplicaWhole: facts.isReplicaWhole ?? true,
  };
}

function aReceipt(node: string, more: Partial<CompletionReceipt> = {}): CompletionReceipt {
  return {
    v: 1,
    alertId: ALERT,
    transport: 'fcm',
    shard: 0,
    shards: 1,
    node,
    counts: { accepted: 0, gone: 0, rejected: 0, dropped: 0 },
    pending: [],
    revision: 0,
    at: '2026-07-14T20:00:00.000Z',
    ...more,
  };
}

const sends = (decisions: readonly RunDecision[]) =>
  decisions.flatMap((each) => (each.type === 'send' ? [each] : []));
const said = (decisions: readonly RunDecision[]) =>
  decisions.flatMap((each) => (each.type === 'say' ? [each.receipt] : []));

test('P2: a device to be tried again that a replica being filled anew does not hold yet is not given up', () => {
  const core = aCore({ nodes: ['a'] });
  const earlier = [aReceipt('a', { pending: ['somebody'] })];
  core.step({ type: 'begin', earlier }, around({ nowMs: 0, isReplicaWhole: false }));
  const [retry] = sends(core.step({ type: 'tick' }, around({ nowMs: 1, isReplicaWhole: false })));
  if (!retry) throw new Error('nothing is tried again');
  const outcome = { kind: 'unknown-device' as const };
  const unknown = { type: 'outcome' as const, task: retry.task, deviceId: 'somebody', outcome };
  expect(said(core.step(unknown, around({ nowMs: 2, isReplicaWhole: false })))).toEqual([]);
  const again = core.step({ type: 'tick' }, around({ nowMs: 2_000 }));
  expect(sends(again)).toMatchObject([{ deviceIds: ['somebody'] }]);
  // With a whole replica it is the truth: nobody is there any more.
  expect(said(core.step(unknown, around({ nowMs: 2_001 })))).toMatchObject([{ pending: [] }]);
  expect(core.ended).toBe('done');
});

test('nobody waits for a proved peer that cut the audience otherwise: it will never close a shard of this cut', () => {
  const core = aCore();
  const proved = ['c'];
  const waiting = around({ nowMs: 0, trust: 'unproved', proved });
  const begun = core.step({ type: 'begin', earlier: [aReceipt('b')] }, waiting);
  expect(begun).toEqual([]);
  const receipt = aReceipt('c', { shards: 4 });
  expect(core.step({ type: 'receipt', receipt }, waiting)).toEqual([
    { type: 'load', shard: 0, after: '' },
  ]);
});

test('what is left to proved peers that stay silent is done after three minutes: a repeat, and a run that ends', () => {
  const core = aCore();
  const unproved = (nowMs: number) => around({ nowMs, trust: 'unproved', proved: ['c'] });
  core.step({ type: 'begin', earlier: [aReceipt('b')] }, unproved(0));
  expect(core.step({ type: 'tick' }, unproved(180_000))).toEqual([]);
  expect(core.step({ type: 'tick' }, unproved(180_001))).toEqual([
    { type: 'load', shard: 0, after: '' },
  ]);
});

test.each(['before', 'after'])(
  'P2: what a peer had left is not left to it when it goes by another cut since it lost its journal (heard %s)',
  (order) => {
    const left = aReceipt('b', { pending: ['somebody'] });
    const otherCut = aReceipt('b', { shards: 4, revision: 1 });
    const core = aCore();
    const earlier = order === 'before' ? [left, otherCut] : [otherCut, left];
    expect(core.step({ type: 'begin', earlier }, around({ nowMs: 0 }))).toEqual([
      { type: 'load', shard: 0, after: '' },
    ]);
  },
);
