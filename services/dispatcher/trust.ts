import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { PROOF_LIFE_SECONDS, type ProofReport } from '../../shared/receipt/proof.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { Trust } from './ring.ts';

/**
 * When the canary last proved each route (node × transport), by this node's clock. A proof that stops coming lapses by
 * itself: nothing has to tell us.
 */
export class RouteTrust {
  readonly #provedAtMs = new Map<string, number>();
  /** When the latest round that came through was sent: only what a node did before that is confirmed by it. */
  readonly #sentAtMs = new Map<string, number>();
  readonly #now: Clock;

  constructor(now: Clock) {
    this.#now = now;
  }

  /** `spokenAtMs`: when the canary said so, by this node's clock; now, if it came directly. */
  note(report: ProofReport, spokenAtMs: number): void {
    for (const { path, ageMs, latencyMs } of report.proofs) {
      const key = routeKey(path.dispatcher, path.transport);
      const provedAtMs = Math.min(spokenAtMs, this.#now()) - ageMs;
      this.#provedAtMs.set(key, Math.max(provedAtMs, this.#provedAtMs.get(key) ?? 0));
      const sentAtMs = provedAtMs - latencyMs;
      this.#sentAtMs.set(key, Math.max(sentAtMs, this.#sentAtMs.get(key) ?? 0));
    }
  }

  isProved(node: string, transport: TransportKind): boolean {
    const provedAtMs = this.#provedAtMs.get(routeKey(node, transport));
    return provedAtMs !== undefined && this.#now() - provedAtMs <= PROOF_LIFE_SECONDS * 1000;
  }

  /**
   * How good a receipt is that was heard at `heardAtMs`. A round that was on its way before then confirms nothing: the
   * provider may have begun to swallow after it took the round and before it was given what the receipt speaks of.
   */
  of(node: string, transport: TransportKind, heardAtMs: number): Trust {
    const sentAtMs = this.#sentAtMs.get(routeKey(node, transport)) ?? 0;
    if (sentAtMs >= heardAtMs) return 'confirmed';
    return this.isProved(node, transport) ? 'trusted' : 'unproved';
  }
}

function routeKey(node: string, transport: TransportKind): string {
  return `${node}/${transport}`;
}
