import type { Checks, StoredAt } from './checks.ts';
import { type AlertSpec, EPOCH_MS } from './scenario.ts';
import type { SimBus } from './sim-bus.ts';
import { publicEnvelope, type SimEnvelope } from './sim-envelope.ts';
import type { SimNode } from './sim-node.ts';
import type { Party, World } from './world.ts';

const ATTEMPT_MS = 700;
const DECIDE_AFTER_MS = 1_500;
const OWED_EVERY_MS = 2_000;

type Target = SimBus | SimNode;

/** On the ingest's own disk. */
interface Owed {
  readonly envelope: SimEnvelope;
  state: 'sending' | 'accepted' | 'refused';
  readonly done: Set<string>;
}

/** An ingest: writes to every site's bus and to every dispatcher, answers by what is on disk, and owes the rest. */
export class SimIngest implements Party {
  readonly name: string;
  readonly #world: World;
  readonly #checks: Checks;
  readonly #targets: readonly Target[];
  readonly #outbox = new Map<string, Owed>();
  #life = 0;
  isDown = false;

  constructor(name: string, world: World, checks: Checks, targets: readonly Target[]) {
    this.name = name;
    this.#world = world;
    this.#checks = checks;
    this.#targets = targets;
    this.#redeliver();
  }

  take(work: () => void): void {
    if (!this.isDown) work();
  }

  crash(): void {
    this.isDown = true;
    this.#life++;
  }

  restart(): void {
    this.isDown = false;
    for (const owed of this.#outbox.values())
      if (owed.state === 'sending') owed.state = owed.done.size > 0 ? 'accepted' : 'refused';
  }

  /** Whether it has, on its disk, something that it will still bring to those who lack it. */
  owes(id: string): boolean {
    return this.#outbox.get(id)?.state === 'accepted';
  }

  submit(spec: AlertSpec, shards: number): void {
    if (this.isDown || this.#outbox.has(spec.id)) return;
    const envelope = publicEnvelope(spec, shards);
    const owed: Owed = { envelope, state: 'sending', done: new Set() };
    this.#outbox.set(spec.id, owed);
    this.#world.note(() => `${this.name} is given ${spec.id}, ${shards} shards`);
    const deadlineMs = this.#world.nowMs + DECIDE_AFTER_MS;
    const life = this.#life;
    for (const target of this.#targets) this.#sendUntil(target, owed, deadlineMs, life);
    this.#world.after(DECIDE_AFTER_MS, () => {
      if (life === this.#life) this.#decide(owed, true);
    });
  }

  #sendUntil(target: Target, owed: Owed, deadlineMs: number, life: number): void {
    if (life !== this.#life || owed.state === 'refused' || this.#world.nowMs >= deadlineMs) return;
    this.#send(target, owed, ATTEMPT_MS, (isStored) => {
      if (life !== this.#life) return;
      if (!isStored) this.#sendUntil(target, owed, deadlineMs, life);
      else this.#decide(owed, false);
    });
  }

  #send(target: Target, owed: Owed, timeoutMs: number, done: (isStored: boolean) => void): void {
    const store = () => {
      if ('storeAlert' in target) target.storeAlert(owed.envelope);
      else target.takeAlert(owed.envelope, 'direct');
      this.#checks.acknowledged(owed.envelope.id, target);
      return true;
    };
    this.#world.request(this, target, timeoutMs, store, (answer) => {
      if (answer) owed.done.add(target.name);
      done(answer === true);
    });
  }

  /** Two sites have it: 202. Time is over: 202 with a warning if one has, else 503. */
  #decide(owed: Owed, isTimeOver: boolean): void {
    if (owed.state !== 'sending') return;
    const by: readonly StoredAt[] = this.#targets.filter(({ name }) => owed.done.has(name));
    const sites = new Set(by.map(({ site }) => site)).size;
    if (sites < 2 && !isTimeOver) return;
    owed.state = sites > 0 ? 'accepted' : 'refused';
    const durability = sites >= 2 ? 'two-sites' : 'one-site';
    this.#world.note(
      () => `${this.name} answers ${sites > 0 ? `202 ${durability}` : 503} for ${owed.envelope.id}`,
    );
    if (sites > 0) this.#checks.accepted(owed.envelope, durability, by);
  }

  #redeliver(): void {
    this.#world.after(OWED_EVERY_MS, () => {
      this.#redeliver();
      if (this.isDown) return;
      for (const owed of this.#outbox.values()) {
        const isLive = this.#world.nowMs < owed.envelope.expiresAtMs;
        if (owed.state !== 'accepted' || !isLive) continue;
        for (const target of this.#targets)
          if (!owed.done.has(target.name)) this.#send(target, owed, 3_000, () => undefined);
      }
    });
  }
}

export function submitAll(
  alerts: readonly AlertSpec[],
  ingests: ReadonlyMap<string, SimIngest>,
  world: World,
): void {
  for (const spec of alerts)
    for (const { ingest, shards } of spec.given)
      world.at(spec.atMs, () => ingests.get(ingest)?.submit(spec, shards));
  if (world.nowMs !== EPOCH_MS) throw new Error('alerts are planned before time begins');
}
