import { expect, test } from '@jest/globals';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Trust } from './ring.ts';
import { RunCore } from './run-core.ts';
import type { RunDecision, RunEvent, RunSetup, SendTask, Surroundings } from './run-events.ts';

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
  unanswering?: readonly string[];
}): Surroundings {
  return {
    nowMs: facts.nowMs,
    trust: () => facts.trust ?? 'trusted',
    isProved: (node) => (facts.proved ?? ['a', 'b', 'c']).includes(node),
    silent: () => false,
    unanswering: (node) => (facts.unanswering ?? []).includes(node),
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
  expect(core.step({ type: 'receipt', receipt }, { ...waiting, nowMs: 200 })).toEqual([
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
    core.step({ type: 'begin', earlier }, around({ nowMs: 0 }));
    expect(core.step({ type: 'tick' }, around({ nowMs: 200 }))).toEqual([
      { type: 'load', shard: 0, after: '' },
    ]);
  },
);

const loads = (decisions: readonly RunDecision[]) =>
  decisions.flatMap((each) => (each.type === 'load' ? [each.shard] : []));
const accepted = { kind: 'accepted' as const };

/** Node a of two, with four shards of one device each: its own are 0 and 1. What it loads is given to it at once. */
function anArc() {
  const core = aCore({ nodes: ['a', 'b'], shards: 4 });
  const begun: number[] = [];
  const tasks = new Map<number, SendTask>();
  const step = (event: RunEvent, surroundings: Surroundings) => {
    for (let todo = core.step(event, surroundings); ; ) {
      for (const { task } of sends(todo)) tasks.set(task.shard, task);
      const [shard] = loads(todo);
      if (shard === undefined) return;
      begun.push(shard);
      const slice = { type: 'slice' as const, shard, deviceIds: [`device-${shard}`] };
      todo = core.step({ ...slice, complete: true }, surroundings);
    }
  };
  const answer = (shard: number, surroundings: Surroundings) => {
    const task = tasks.get(shard);
    if (!task) throw new Error(`nothing was sent in shard ${shard}`);
    step({ type: 'outcome', task, deviceId: `device-${shard}`, outcome: accepted }, surroundings);
  };
  step({ type: 'begin', earlier: [] }, around({ nowMs: 0 }));
  return { begun, step, answer };
}

test('a peer that is as far as this node may say so before its shards are done over', () => {
  const { begun, step, answer } = anArc();
  answer(0, around({ nowMs: 500 }));
  answer(1, around({ nowMs: 500 }));
  expect(begun).toEqual([0, 1]);
  step({ type: 'tick' }, around({ nowMs: 699 }));
  expect(begun).toEqual([0, 1]);
  step({ type: 'tick' }, around({ nowMs: 700 }));
  expect(begun).toEqual([0, 1, 3, 2]);
});

test('what no peer answers for any more is begun at once, as the own arc is', () => {
  const { begun, step } = anArc();
  step({ type: 'tick' }, around({ nowMs: 10, unanswering: ['b'] }));
  expect(begun).toEqual([0, 1, 3, 2]);
});

test('one answer that does not come keeps a node from helping for three seconds and not longer', () => {
  const { begun, step, answer } = anArc();
  answer(0, around({ nowMs: 500 }));
  step({ type: 'tick' }, around({ nowMs: 3_000 }));
  expect(begun).toEqual([0, 1]);
  step({ type: 'tick' }, around({ nowMs: 3_001 }));
  expect(begun).toEqual([0, 1, 3, 2]);
});

/** What b, whose arc is 2 and 3, says of shard 3: so many accepted, and somebody pending. */
const bSays = (accepted: number, revision: number) => ({
  type: 'receipt' as const,
  receipt: aReceipt('b', {
    shard: 3,
    shards: 4,
    pending: ['device-3'],
    counts: { accepted, gone: 0, rejected: 0, dropped: 0 },
    revision,
  }),
});

/** Node a of `anArc`, its own arc done, after b has said twice that it got so many of shard 3 accepted. */
function besideAPeer(acceptedThere: number, ownAnswers: 'accepted' | 'throttled') {
  const core = aCore({ nodes: ['a', 'b'], shards: 4 });
  core.step({ type: 'begin', earlier: [aReceipt('b', { shard: 2, shards: 4 })] }, at(0));
  for (const shard of [0, 1]) {
    const deviceIds = [`device-${shard}`];
    core.step({ type: 'slice', shard, deviceIds, complete: true }, at(0));
    const task = { shard, lane: 'first' as const, attempt: 1, takeOver: false };
    const throttled = {
      kind: 'throttled' as const,
      scope: 'project' as const,
      retryAfterMs: 60_000,
    };
    const outcome = ownAnswers === 'accepted' ? accepted : throttled;
    core.step({ type: 'outcome', task, deviceId: `device-${shard}`, outcome }, at(100));
  }
  core.step(bSays(acceptedThere, 1), at(150));
  core.step(bSays(acceptedThere, 2), at(5_000));
  return core;
}

const at = (nowMs: number) => around({ nowMs });
const tookOver = (decisions: readonly RunDecision[]) =>
  decisions.flatMap((each) => (each.type === 'took-over' ? [each.shard] : []));

test('P2: what a peer gets nobody accepted of, alive and proved, is taken over after ten seconds', () => {
  const core = besideAPeer(0, 'accepted');
  expect(tookOver(core.step({ type: 'tick' }, at(10_149)))).toEqual([]);
  expect(tookOver(core.step({ type: 'tick' }, at(10_150)))).toEqual([3]);
  expect(sends(core.step({ type: 'tick' }, at(10_151)))).toMatchObject([
    { deviceIds: ['device-3'], task: { shard: 3, takeOver: true } },
  ]);
});

test('a peer that has somebody of the shard accepted tries the rest again itself', () => {
  const core = besideAPeer(1, 'accepted');
  expect(tookOver(core.step({ type: 'tick' }, at(100_000)))).toEqual([]);
});

test('where the provider throttles this node as well, nothing is taken over: it would double the load', () => {
  const core = besideAPeer(0, 'throttled');
  expect(tookOver(core.step({ type: 'tick' }, at(50_000)))).toEqual([]);
});

test('a node that gets nobody accepted leaves the other arcs to others for a quarter of a minute', () => {
  const core = aCore({ nodes: ['a', 'b'], shards: 4 });
  core.step({ type: 'begin', earlier: [] }, at(0));
  const refused = { kind: 'unavailable' as const, reason: 'auth', retryAfterMs: 60_000 };
  for (const shard of [0, 1]) {
    const deviceIds = [`device-${shard}`];
    core.step({ type: 'slice', shard, deviceIds, complete: true }, at(0));
    const task = { shard, lane: 'first' as const, attempt: 1, takeOver: false };
    const deviceId = `device-${shard}`;
    core.step({ type: 'outcome', task, deviceId, outcome: refused }, at(100));
  }
  expect(loads(core.step({ type: 'tick' }, at(15_099)))).toEqual([]);
  expect(loads(core.step({ type: 'tick' }, at(15_100)))).toEqual([3]);
});

test('in a peer’s arc a node goes from the end of a shard: whom a peer that died there had not come to is reached first', () => {
  const core = aCore({ nodes: ['a', 'b'], shards: 2 });
  const alone = around({ nowMs: 0, unanswering: ['b'] });
  const slice = { type: 'slice' as const, deviceIds: ['x', 'y'], complete: true };
  expect(loads(core.step({ type: 'begin', earlier: [] }, alone))).toEqual([0]);
  const own = core.step({ ...slice, shard: 0 }, alone);
  expect(sends(own)).toMatchObject([{ isBackwards: false }]);
  expect(loads(own)).toEqual([1]);
  expect(sends(core.step({ ...slice, shard: 1 }, alone))).toMatchObject([{ isBackwards: true }]);
});
