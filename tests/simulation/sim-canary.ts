import { type CanaryPath, LANES, TRANSPORTS } from '../../shared/envelope/envelope.ts';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import type { SimBus } from './sim-bus.ts';
import { canaryEnvelope, type SimEnvelope } from './sim-envelope.ts';
import type { SimNode } from './sim-node.ts';
import type { Party, World } from './world.ts';

const PERIOD_MS = 60_000;
const ROUND_LIFE_MS = 60_000;

/** Sends a real Test alert on every route each minute, and speaks of what its probes really showed. */
export class SimCanary implements Party {
  readonly name = 'canary';
  readonly #world: World;
  readonly #nodes: readonly SimNode[];
  readonly #buses: readonly SimBus[];
  readonly #begunAtMs = new Map<string, number>();
  #rounds = 0;
  isSilent = false;

  constructor(world: World, nodes: readonly SimNode[], buses: readonly SimBus[]) {
    this.#world = world;
    this.#nodes = nodes;
    this.#buses = buses;
  }

  take(work: () => void): void {
    work();
  }

  /** Every route was proved some time within the last minute, and goes on to be tried each minute from then. */
  start(): void {
    for (const node of this.#nodes)
      for (const transport of TRANSPORTS) {
        const ageMs = this.#world.random.below(PERIOD_MS);
        const path = { ingest: 'canary', lane: 'bus' as const, dispatcher: node.name, transport };
        this.#speak({ v: 1, canary: 'canary', proofs: [{ path, ageMs, latencyMs: 100 }] });
        this.#plan(node, transport, PERIOD_MS - ageMs);
      }
  }

  /** A probe showed a round: a proof, spoken of a little later. */
  witnessed(envelope: SimEnvelope): void {
    const { path } = envelope;
    const shownAtMs = this.#world.nowMs;
    const begunAtMs = this.#begunAtMs.get(envelope.id);
    if (path === undefined || begunAtMs === undefined) return;
    this.#begunAtMs.delete(envelope.id);
    this.#world.after(this.#world.random.between(1, 2_000), () => {
      if (this.isSilent) return;
      const ageMs = this.#world.nowMs - shownAtMs;
      const proof = { path, ageMs, latencyMs: shownAtMs - begunAtMs };
      this.#world.note(() => `canary proves ${path.dispatcher}/${path.transport}`);
      this.#speak({ v: 1, canary: this.name, proofs: [proof] });
    });
  }

  #speak(report: ProofReport): void {
    for (const node of this.#nodes)
      this.#world.send(this.name, node, () => node.takeProofs(report, node.now()));
    for (const bus of this.#buses) this.#world.send(this.name, bus, () => bus.storeProofs(report));
  }

  #plan(node: SimNode, transport: CanaryPath['transport'], delayMs: number): void {
    this.#world.after(delayMs, () => {
      this.#plan(node, transport, PERIOD_MS);
      if (!this.isSilent) this.#round(node, transport);
    });
  }

  #round(node: SimNode, transport: CanaryPath['transport']): void {
    const lane = this.#world.random.pick(LANES);
    const path = { ingest: 'canary', lane, dispatcher: node.name, transport };
    const id = `canary-${++this.#rounds}`;
    const expiresAtMs = this.#world.nowMs + ROUND_LIFE_MS;
    const envelope = canaryEnvelope(id, path, [`probe-${transport}`], expiresAtMs);
    this.#begunAtMs.set(id, this.#world.nowMs);
    this.#world.after(ROUND_LIFE_MS, () => this.#begunAtMs.delete(id));
    for (const each of this.#nodes)
      this.#world.send(this.name, each, () => each.takeAlert(envelope, 'direct'));
    for (const bus of this.#buses) this.#world.send(this.name, bus, () => bus.storeAlert(envelope));
  }
}
