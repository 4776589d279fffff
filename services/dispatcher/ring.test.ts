import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextStep, type RingView, type ShardReceipt, shardOrder, type Trust } from './ring.ts';

describe('shardOrder', () => {
  test.each([
    [0, 1, 4, [0, 1, 2, 3]],
    [0, 2, 4, [0, 1, 3, 2]],
    [1, 2, 4, [2, 3, 1, 0]],
    [0, 3, 8, [0, 1, 4, 3, 2, 7, 6, 5]],
    [2, 3, 8, [5, 6, 7, 1, 0, 4, 3, 2]],
    [2, 4, 1, [0]],
  ])('node %i of %i goes through %i shards as %j', (position, nodes, shards, order) => {
    expect(shardOrder(position, nodes, shards)).toEqual(order);
  });

  test('P2: whatever the numbers, every node comes to every shard exactly once', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 9 })
          .chain((nodes) => fc.tuple(fc.nat(nodes - 1), fc.constant(nodes))),
        fc.integer({ min: 0, max: 10 }),
        ([position, nodes], power) => {
          const order = shardOrder(position, nodes, 2 ** power);
          expect([...order].sort((a, b) => a - b)).toEqual(
            Array.from({ length: 2 ** power }, (_, i) => i),
          );
        },
      ),
    );
  });
});

/** Node a's view of two shards, with b and c as peers. */
function aView(facts: {
  begun?: number[];
  receipts?: Record<number, ShardReceipt[]>;
  trust?: Record<string, Trust>;
  silent?: string[];
  stuck?: string[];
  own?: number[];
  ownPending?: boolean;
  selfProved?: boolean;
  anybodyProved?: boolean;
}): RingView {
  return {
    shards: 2,
    self: 'a',
    nodes: ['a', 'b', 'c'],
    begun: new Set(facts.begun ?? []),
    ownPending: facts.ownPending ?? false,
    peerReceipts: (shard) => facts.receipts?.[shard] ?? [],
    trust: (node) => (node === 'a' ? 'confirmed' : (facts.trust?.[node] ?? 'unproved')),
    silent: (node) => facts.silent?.includes(node) ?? false,
    isStuck: (_shard, node) => facts.stuck?.includes(node) ?? false,
    isOwn: (shard) => facts.own?.includes(shard) ?? false,
    selfProved: facts.selfProved ?? true,
    anybodyProved: facts.anybodyProved ?? true,
  };
}

const by = (node: string, more: Partial<ShardReceipt> = {}): ShardReceipt => ({
  node,
  hasPending: false,
  heardAtMs: 0,
  ...more,
});
const pending = { hasPending: true };
const takeOver = { step: 'take-over', shard: 1, from: 'b' };
const send = (shard: number) => ({ step: 'send', shard });
const wait = { step: 'wait' };
const finished = { step: 'finished' };

describe('nextStep', () => {
  // Shard 0 is this node's own; what is known of shard 1 decides.
  const table: [string, Parameters<typeof aView>[0], object][] = [
    ['nothing begun: the first of the order', {}, send(0)],
    ['own arc done, nothing heard: the next', { begun: [0] }, send(1)],
    ['everything done by itself', { begun: [0, 1] }, finished],
    ['everything done, somebody to try again', { begun: [0, 1], ownPending: true }, wait],
    [
      'peer was proved after it spoke',
      { begun: [0], receipts: { 1: [by('b')] }, trust: { b: 'confirmed' } },
      finished,
    ],
    [
      '… but own retries are left',
      { begun: [0], receipts: { 1: [by('b')] }, trust: { b: 'confirmed' }, ownPending: true },
      wait,
    ],
    [
      'peer was proved before it spoke only',
      { begun: [0], receipts: { 1: [by('b')] }, trust: { b: 'trusted' } },
      wait,
    ],
    [
      'peer unproved, self proved: do it again',
      { begun: [0], receipts: { 1: [by('b')] } },
      send(1),
    ],
    [
      'peer unproved, self too, somebody proved: theirs',
      { begun: [0], receipts: { 1: [by('b')] }, selfProved: false },
      wait,
    ],
    [
      'nobody proved: everybody covers everything',
      { begun: [0], receipts: { 1: [by('b')] }, selfProved: false, anybodyProved: false },
      send(1),
    ],
    [
      'one good word beside an unproved one is enough',
      { begun: [0], receipts: { 1: [by('c'), by('b')] }, trust: { b: 'confirmed' } },
      finished,
    ],
    [
      'unproved peers’ shards come after what nobody has done',
      { receipts: { 0: [by('b')] } },
      send(1),
    ],
    [
      'peer is still trying again and alive',
      { begun: [0], receipts: { 1: [by('b', pending)] }, trust: { b: 'confirmed' } },
      wait,
    ],
    [
      'peer is still trying again and silent',
      { begun: [0], receipts: { 1: [by('b', pending)] }, trust: { b: 'trusted' }, silent: ['b'] },
      takeOver,
    ],
    [
      'peer is alive and stuck: nobody of the shard was accepted, while ours are',
      { begun: [0], receipts: { 1: [by('b', pending)] }, trust: { b: 'trusted' }, stuck: ['b'] },
      takeOver,
    ],
    [
      'silent, and pending with more than a receipt names: all of it',
      {
        begun: [0],
        receipts: { 1: [by('b', { ...pending, namesAll: false })] },
        trust: { b: 'trusted' },
        silent: ['b'],
      },
      send(1),
    ],
    [
      'a peer helped in our arc and got nowhere: gone through all the same',
      {
        begun: [0],
        own: [0, 1],
        receipts: { 1: [by('b', { ...pending, isFruitless: true })] },
        trust: { b: 'trusted' },
      },
      send(1),
    ],
    [
      'a peer got nowhere in its own arc: that is left to it',
      {
        begun: [0],
        own: [0],
        receipts: { 1: [by('b', { ...pending, isFruitless: true })] },
        trust: { b: 'trusted' },
      },
      wait,
    ],
    [
      'unproved, silent and pending: all of it, not the rest',
      { begun: [0], receipts: { 1: [by('b', pending)] }, silent: ['b'] },
      send(1),
    ],
    [
      'two good peers, the silent one pending, the other closed',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('c')] },
        trust: { b: 'confirmed', c: 'confirmed' },
        silent: ['b'],
      },
      finished,
    ],
    [
      'taken over by itself, still trying: not once more',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('a', { ...pending, takenOverFrom: 'b' })] },
        trust: { b: 'trusted' },
        silent: ['b'],
        ownPending: true,
      },
      wait,
    ],
    [
      'two silent peers’ leftovers: one at a time',
      {
        begun: [0],
        receipts: {
          1: [by('b', pending), by('c', pending), by('a', { ...pending, takenOverFrom: 'c' })],
        },
        trust: { b: 'trusted', c: 'trusted' },
        silent: ['b', 'c'],
        ownPending: true,
      },
      wait,
    ],
    [
      'taken over by itself and done',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('a', { takenOverFrom: 'b' })] },
        trust: { b: 'confirmed' },
        silent: ['b'],
      },
      finished,
    ],
    [
      'taken over by a proved peer and done',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('c', { takenOverFrom: 'b' })] },
        trust: { b: 'confirmed', c: 'confirmed' },
        silent: ['b'],
      },
      finished,
    ],
    [
      'taken over and done, the one who did it not yet proved after it: watched over',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('c', { takenOverFrom: 'b' })] },
        trust: { b: 'confirmed', c: 'trusted' },
        silent: ['b'],
      },
      wait,
    ],
    [
      'taken over by an unproved peer: its word is not good',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('c', { takenOverFrom: 'b' })] },
        trust: { b: 'confirmed' },
        silent: ['b'],
      },
      takeOver,
    ],
    [
      'leftovers of one peer do not close the shard of another',
      {
        begun: [0],
        receipts: { 1: [by('b', pending), by('c', { takenOverFrom: 'a' })] },
        trust: { b: 'confirmed', c: 'confirmed' },
      },
      wait,
    ],
    [
      'leftovers alone are no word on the shard',
      { begun: [0], receipts: { 1: [by('c', { takenOverFrom: 'b' })] }, trust: { c: 'confirmed' } },
      send(1),
    ],
  ];
  test.each(table)('%s', (_title, facts, step) => {
    expect(nextStep(aView(facts), [0, 1])).toEqual(step);
  });
});

/** Ticks of the simulation: a proof lives this long, and a node that is dead this long is silent. */
const PROOF_LIFE = 6;
const SILENT_AFTER = 2;
const HORIZON = 400;

interface NodePlan {
  /** Ticks for a shard: slow and fast nodes meet anywhere. */
  readonly speed: number;
  readonly crashAt: number | undefined;
  /** From then on its provider says 200 and nothing arrives, and the canary sees that. */
  readonly routeBreaksAt: number | undefined;
}

interface Plan {
  readonly shards: number;
  readonly nodes: readonly NodePlan[];
  readonly canaryStopsAt: number | undefined;
  /** Which receipts are lost for which peer, read round and round. */
  readonly lost: readonly boolean[];
  /** Which full passes leave somebody to be tried again, and for how many ticks. */
  readonly pendingTicks: readonly number[];
  /** Instants at which a peer seems silent although it is not. */
  readonly seemsSilent: readonly number[];
}

interface Work {
  readonly full: boolean;
  readonly from: number | undefined;
  /** The route was good when it was sent. */
  readonly real: boolean;
  pendingTill: number;
}

class Simulation {
  tick = 0;
  readonly begun: Set<number>[];
  readonly work: Map<number, Work>[];
  readonly steps: string[];
  readonly #plan: Plan;
  readonly #busy: ({ shard: number; doneAt: number } | undefined)[];
  readonly #heard: Map<number, Map<string, ShardReceipt>>[];
  readonly #provedAt: number[];
  #dice = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.begun = plan.nodes.map(() => new Set());
    this.work = plan.nodes.map(() => new Map());
    this.steps = plan.nodes.map(() => '');
    this.#busy = plan.nodes.map(() => undefined);
    this.#heard = plan.nodes.map(() => new Map());
    this.#provedAt = plan.nodes.map(() => (plan.canaryStopsAt === 0 ? -100 : 0));
  }

  isAlive(node: number): boolean {
    return this.tick < (this.#plan.nodes[node]?.crashAt ?? Infinity);
  }

  routeIsGood(node: number): boolean {
    return this.tick < (this.#plan.nodes[node]?.routeBreaksAt ?? Infinity);
  }

  run(): void {
    for (this.tick = 1; this.tick < HORIZON; this.tick++) {
      this.#prove();
      for (const node of this.#plan.nodes.keys()) if (this.isAlive(node)) this.#turn(node);
    }
  }

  #prove(): void {
    if (this.tick >= (this.#plan.canaryStopsAt ?? Infinity)) return;
    for (const node of this.#plan.nodes.keys())
      if (this.isAlive(node) && this.routeIsGood(node)) this.#provedAt[node] = this.tick;
  }

  #turn(node: number): void {
    for (const [shard, work] of this.work[node] ?? [])
      if (work.pendingTill === this.tick) this.#say(node, shard, work);
    const busy = this.#busy[node];
    if (busy) {
      if (busy.doneAt > this.tick) return;
      this.#busy[node] = undefined;
      const ticks = this.#plan.pendingTicks[busy.shard % this.#plan.pendingTicks.length] ?? 0;
      this.#record(node, busy.shard, {
        full: true,
        from: undefined,
        real: this.routeIsGood(node),
        pendingTill: this.tick + ticks,
      });
    }
    for (const [shard, work] of this.work[node] ?? [])
      if (work.pendingTill === this.tick) this.#say(node, shard, work);
    const position = shardOrder(node, this.#plan.nodes.length, this.#plan.shards);
    const step = nextStep(this.#view(node), position);
    this.steps[node] = step.step;
    if (step.step === 'send') {
      this.begun[node]?.add(step.shard);
      this.#busy[node] = {
        shard: step.shard,
        doneAt: this.tick + (this.#plan.nodes[node]?.speed ?? 1),
      };
    } else if (step.step === 'take-over') {
      this.#record(node, step.shard, {
        full: false,
        from: Number(step.from),
        real: this.routeIsGood(node),
        pendingTill: this.tick + 3,
      });
    }
  }

  #record(node: number, shard: number, work: Work): void {
    this.work[node]?.set(shard, work);
    this.#say(node, shard, work);
  }

  #say(node: number, shard: number, work: Work): void {
    for (const peer of this.#plan.nodes.keys()) {
      const isLost = this.#plan.lost[this.#dice++ % this.#plan.lost.length] ?? false;
      if (peer !== node && isLost) continue;
      if (peer === node && work.full) continue;
      const ofShard = this.#heard[peer]?.get(shard) ?? new Map<string, ShardReceipt>();
      ofShard.set(String(node), {
        node: String(node),
        hasPending: work.pendingTill > this.tick,
        takenOverFrom: work.from === undefined ? undefined : String(work.from),
        heardAtMs: this.tick,
      });
      this.#heard[peer]?.set(shard, ofShard);
    }
  }

  #isProved(node: number): boolean {
    return this.tick - (this.#provedAt[node] ?? -100) <= PROOF_LIFE;
  }

  #view(node: number): RingView {
    const { nodes, shards, seemsSilent } = this.#plan;
    return {
      shards,
      self: String(node),
      nodes: nodes.map((_, i) => String(i)),
      begun: this.begun[node] ?? new Set(),
      ownPending:
        this.#busy[node] !== undefined ||
        [...(this.work[node]?.values() ?? [])].some((work) => work.pendingTill > this.tick),
      peerReceipts: (shard) => [...(this.#heard[node]?.get(shard)?.values() ?? [])],
      trust: (name, heardAt) => {
        if (name === String(node)) return 'confirmed';
        if ((this.#provedAt[Number(name)] ?? -100) >= heardAt) return 'confirmed';
        return this.#isProved(Number(name)) ? 'trusted' : 'unproved';
      },
      silent: (name) =>
        this.tick - (nodes[Number(name)]?.crashAt ?? Infinity) > SILENT_AFTER ||
        seemsSilent.includes(this.tick),
      isStuck: () => false,
      isOwn: () => false,
      selfProved: this.#isProved(node),
      anybodyProved: nodes.some((_, i) => this.#isProved(i)),
    };
  }

  /** Somebody really sent the whole shard, what it had left included. */
  reallySent(shard: number): boolean {
    return this.#plan.nodes.some((plan, node) => {
      const work = this.work[node]?.get(shard);
      if (!work?.full || !work.real) return false;
      if (work.pendingTill <= (plan.crashAt ?? Infinity)) return true;
      return this.work.some((works, other) => {
        const rest = works.get(shard);
        return (
          rest?.from === node &&
          rest.real &&
          rest.pendingTill <= (this.#plan.nodes[other]?.crashAt ?? Infinity)
        );
      });
    });
  }
}

const instant = (max: number) =>
  fc.option(fc.integer({ min: 1, max }), { nil: undefined, freq: 2 });
const plans: fc.Arbitrary<Plan> = fc.record({
  shards: fc.constantFrom(1, 2, 4, 8, 16),
  nodes: fc.array(
    fc.record({
      speed: fc.integer({ min: 1, max: 4 }),
      crashAt: instant(60),
      routeBreaksAt: instant(60),
    }),
    { minLength: 2, maxLength: 4 },
  ),
  canaryStopsAt: fc.option(fc.nat(60), { nil: undefined, freq: 3 }),
  lost: fc.array(fc.boolean(), { minLength: 1, maxLength: 13 }),
  pendingTicks: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 5 }),
  seemsSilent: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 10 }),
});

describe('the ring, simulated with nothing but nextStep and receipts', () => {
  test('P2: every shard ends up sent by somebody whose route is good, or by everybody who is left', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const simulation = new Simulation(plan);
        simulation.run();
        const left = [...plan.nodes.keys()].filter((node) => simulation.isAlive(node));
        if (left.length === 0) return;
        for (let shard = 0; shard < plan.shards; shard++) {
          // Whoever has only gone through a dead peer's leftovers had that peer's proof for the rest.
          const byEverybody = left.every((node) => simulation.work[node]?.has(shard));
          expect({ shard, covered: simulation.reallySent(shard) || byEverybody }).toEqual({
            shard,
            covered: true,
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('nobody waits for ever: with a good route and a canary at work, everybody who could do it is finished', () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const simulation = new Simulation({ ...plan, canaryStopsAt: undefined, lost: [false] });
        simulation.run();
        for (const node of plan.nodes.keys()) {
          if (!simulation.isAlive(node)) continue;
          expect({ node, step: simulation.steps[node] }).toEqual({ node, step: 'finished' });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('two healthy nodes repeat at most the shard in which they meet', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8, 16),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (shards, speedOfA, speedOfB) => {
          const healthy = { crashAt: undefined, routeBreaksAt: undefined };
          const simulation = new Simulation({
            shards,
            nodes: [
              { speed: speedOfA, ...healthy },
              { speed: speedOfB, ...healthy },
            ],
            canaryStopsAt: undefined,
            lost: [false],
            pendingTicks: [0],
            seemsSilent: [],
          });
          simulation.run();
          const passes = simulation.begun.reduce((sum, begun) => sum + begun.size, 0);
          expect(passes - shards).toBeGreaterThanOrEqual(0);
          expect(passes - shards).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
