import type { CanaryPath, TransportKind } from '../../shared/envelope/envelope.ts';
import { CANARY_LIFE_SECONDS } from './canary-alert.ts';

/** Why a message that a probe got proves nothing. */
export const REFUSALS = [
  'undecryptable',
  'malformed',
  'unsigned',
  'wrong-audience',
  'expired',
  'unknown-nonce',
  'wrong-dispatcher',
  'wrong-transport',
  'repeated',
  'unknown-probe',
  'bad-signature',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** A verified canary as a probe got it. */
interface Receipt {
  readonly probe: string;
  readonly nonce: string | undefined;
  readonly via: string | undefined;
  readonly transport: TransportKind;
}

interface OpenRound {
  readonly path: CanaryPath;
  readonly startedMs: number;
  readonly onReceipt: (latencyMs: number) => void;
  /** Each probe counts once for a round. */
  readonly receivedBy: Set<string>;
}

/** Rounds that may still be received, by nonce. */
export interface RoundBook {
  /** `onReceipt` is called at most once, with the time since `open`, by the receipt of a probe that proves paths. */
  readonly open: (nonce: string, path: CanaryPath, onReceipt: (latencyMs: number) => void) => void;
  /** A receipt counts for a round only by its nonce, and only on the path that the round is about. */
  readonly receive: (receipt: Receipt) => 'counted' | Refusal;
}

/** After its life a canary is refused by the device itself; a little longer is remembered, to tell late from unknown. */
const KEEP_MS = (CANARY_LIFE_SECONDS + 10) * 1000;
const MAX_OPEN = 5_000;

interface RoundBookOptions {
  /**
   * Whose receipt proves a round. The others are sent the same rounds and prove themselves alone: a path must not look
   * alive by a receiver that has a push service of its own. Default: anybody's.
   */
  readonly proves?: (probe: string) => boolean;
  /** Each receipt that counts, whether it proves the round or only its receiver. */
  readonly onCounted?: (probe: string, path: CanaryPath, latencyMs: number) => void;
}

export function createRoundBook(
  now: () => number,
  { proves = () => true, onCounted = () => undefined }: RoundBookOptions = {},
): RoundBook {
  const rounds = new Map<string, OpenRound>();
  // Rounds are added in the order of time, so what is too old stands at the front.
  const forgetOld = () => {
    for (const [nonce, round] of rounds) {
      if (now() - round.startedMs < KEEP_MS && rounds.size <= MAX_OPEN) return;
      rounds.delete(nonce);
    }
  };
  return {
    open: (nonce, path, onReceipt) => {
      rounds.set(nonce, { path, startedMs: now(), onReceipt, receivedBy: new Set() });
      forgetOld();
    },
    receive: ({ probe, nonce, via, transport }) => {
      forgetOld();
      const round = nonce === undefined ? undefined : rounds.get(nonce);
      if (nonce === undefined || !round) return 'unknown-nonce';
      if (round.path.transport !== transport) return 'wrong-transport';
      if (round.path.dispatcher !== via) return 'wrong-dispatcher';
      const { receivedBy, onReceipt, path } = round;
      if (receivedBy.has(probe)) return 'repeated';
      const isFirstProof = proves(probe) && ![...receivedBy].some(proves);
      receivedBy.add(probe);
      const latencyMs = now() - round.startedMs;
      if (isFirstProof) onReceipt(latencyMs);
      onCounted(probe, path, latencyMs);
      return 'counted';
    },
  };
}
