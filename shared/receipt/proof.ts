import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { CanaryPath, NodeName, TransportKind } from '../envelope/envelope.ts';

/** A route is trusted for this long after a device-side proof (canary period 60 s + limit 10 s, twice, and a margin). */
export const PROOF_LIFE_SECONDS = 150;

/**
 * A canary's word that a probe received, decrypted and verified a round on this path and repeated its nonce.
 * `ageMs` is counted by the canary's own clock when it speaks, so clocks need not agree.
 */
export const PathProof = z.strictObject({
  path: CanaryPath,
  ageMs: z.int().nonnegative(),
  latencyMs: z.int().nonnegative(),
});
export type PathProof = z.infer<typeof PathProof>;

/** What a canary sends to dispatchers and ingests after each round, and publishes under `proof.<canary>.<path>`. */
export const ProofReport = z.strictObject({
  v: z.literal(1),
  canary: NodeName,
  proofs: z.array(PathProof).max(500),
});
export type ProofReport = z.infer<typeof ProofReport>;

/** A probe's witness of a real alert, for "received by 4 of 4 probes after 1.1 s". */
export const ProbeWitness = z.strictObject({
  alertId: AlertId,
  probe: z.string().max(60),
  transport: TransportKind,
  via: NodeName,
  receivedAt: z.iso.datetime(),
});
export type ProbeWitness = z.infer<typeof ProbeWitness>;

/** What a canary says of one real alert: how many probes it has in the registry, and which of them received it. */
export const WitnessAnswer = z.strictObject({
  v: z.literal(1),
  canary: NodeName,
  probes: z.int().nonnegative(),
  witnesses: z.array(ProbeWitness).max(1000),
});
export type WitnessAnswer = z.infer<typeof WitnessAnswer>;
