import type { Outcome } from '../../services/dispatcher/transports/transport.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { Checks } from './checks.ts';
import { EPOCH_MS, type ProviderMode } from './scenario.ts';
import type { SimDevice } from './sim-device.ts';
import type { SimEnvelope } from './sim-envelope.ts';
import type { World } from './world.ts';

const SEND_DEADLINE_MS = 10_000;
const TIMED_OUT: Outcome = { kind: 'unavailable', reason: 'timeout', retryAfterMs: 0 };

const REFUSED: Outcome = { kind: 'unavailable', reason: 'auth', retryAfterMs: 60_000 };

interface Push {
  readonly node: string;
  readonly transport: TransportKind;
  readonly device: SimDevice;
  readonly envelope: SimEnvelope;
}

/** The push providers, each route (node × transport) with its own mood. What they accept they deliver late, or twice. */
export class SimProviders {
  readonly #world: World;
  readonly #checks: Checks;
  #answersWithinMs: number;
  readonly #modes = new Map<string, ProviderMode[]>();
  readonly #blackHoles = new Set<string>();
  onShownByProbe: (envelope: SimEnvelope) => void = () => undefined;

  constructor(world: World, checks: Checks, answersWithinMs: number) {
    this.#world = world;
    this.#answersWithinMs = answersWithinMs;
    this.#checks = checks;
  }

  begin(node: string, transport: TransportKind, mode: ProviderMode): void {
    const route = `${node}/${transport}`;
    this.#modes.set(route, [...(this.#modes.get(route) ?? []), mode]);
  }

  end(node: string, transport: TransportKind, mode: ProviderMode): void {
    const route = `${node}/${transport}`;
    const modes = [...(this.#modes.get(route) ?? [])];
    modes.splice(modes.indexOf(mode), 1);
    this.#modes.set(route, modes);
  }

  /** Slow days are over too: else the places in flight would be what people wait for. */
  heal(): void {
    this.#answersWithinMs = 120;
  }

  swallow(node: string, transport: TransportKind): void {
    this.#blackHoles.add(`${node}/${transport}`);
  }

  /** Always answers within the deadline; what a timed-out send became nobody knows. */
  send(push: Push, done: (outcome: Outcome) => void): void {
    const { random } = this.#world;
    const mode = this.#modes.get(`${push.node}/${push.transport}`)?.at(-1);
    const latencyMs =
      mode === 'slow' ? random.between(500, 14_000) : random.between(5, this.#answersWithinMs);
    const isAnswerLost = mode === 'flaky' && random.chance(0.3);
    if (isAnswerLost || latencyMs > SEND_DEADLINE_MS) {
      this.#world.after(latencyMs, () => this.#outcome(push, mode));
      this.#world.after(SEND_DEADLINE_MS, () => done(TIMED_OUT));
      return;
    }
    this.#world.after(latencyMs, () => done(this.#outcome(push, mode)));
  }

  #outcome(push: Push, mode: ProviderMode | undefined): Outcome {
    const { random, nowMs } = this.#world;
    if (mode === 'refused') return REFUSED;
    const { goneAtMs } = push.device.spec;
    if (mode === 'down' || (mode === 'flaky' && random.chance(0.4)))
      return { kind: 'unavailable', reason: 'http-5xx', retryAfterMs: random.pick([0, 5_000]) };
    if (mode === 'throttle' && random.chance(0.7))
      return { kind: 'throttled', scope: 'device', retryAfterMs: random.between(1, 30) * 1_000 };
    if (goneAtMs !== undefined && nowMs >= EPOCH_MS + goneAtMs) {
      this.#checks.gone(push.device.spec.id);
      return { kind: 'gone' };
    }
    if (!this.#blackHoles.has(`${push.node}/${push.transport}`)) this.#accept(push);
    return { kind: 'accepted' };
  }

  #accept({ device, envelope }: Push): void {
    const { random } = this.#world;
    this.#checks.delivered(device.spec.id, envelope);
    const times = random.chance(0.03) ? 2 : 1;
    for (let i = 0; i < times; i++) {
      const delayMs = random.chance(0.1) ? random.between(500, 8_000) : random.between(5, 300);
      this.#world.after(delayMs, () => {
        if (device.receive(envelope) && envelope.path) this.onShownByProbe(envelope);
      });
    }
  }
}
