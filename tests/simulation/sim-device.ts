import { decide } from '../../shared/device/decide.ts';
import type { DeviceMemory } from '../../shared/device/memory.ts';
import type { Checks } from './checks.ts';
import type { Hooks } from './hooks.ts';
import type { DeviceSpec } from './scenario.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import type { World } from './world.ts';

/** A phone or a probe: production's `decide` with a memory and a clock of its own. */
export class SimDevice {
  readonly spec: DeviceSpec;
  readonly #world: World;
  readonly #checks: Checks;
  readonly #decide: typeof decide;
  #memory: DeviceMemory = [];

  constructor(spec: DeviceSpec, world: World, checks: Checks, hooks: Hooks) {
    this.spec = spec;
    this.#world = world;
    this.#checks = checks;
    this.#decide = hooks.decide?.(decide) ?? decide;
  }

  /** Returns whether it was shown. */
  receive(envelope: SimEnvelope): boolean {
    const accepts = this.spec.probe ? (['public', 'canary'] as const) : (['public'] as const);
    const nowMs = this.#world.nowMs + this.spec.offsetMs;
    const { decision, memory } = this.#decide(
      envelope.message,
      envelope.audience,
      accepts,
      this.#memory,
      nowMs,
    );
    this.#memory = memory;
    if (envelope.audience === 'public')
      this.#world.note(() => `${this.spec.id} gets ${envelope.id}: ${decision.action}`);
    this.#checks.received(this.spec, envelope, decision);
    return decision.action === 'shown' || decision.action === 'replaced';
  }
}
