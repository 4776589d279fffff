import { z } from 'zod';
import { NodeName } from '../envelope/envelope.ts';

/**
 * `certificate`: a TLS server's, with the chain that it shows. `push-key`: what we show to push providers (FCM's service
 * account, VAPID). `api-key`: what who raises alerts shows to us. `signing-key`: what alerts are signed with.
 */
const CREDENTIAL_KINDS = ['certificate', 'push-key', 'api-key', 'signing-key'] as const;

/** Something that has an end, or that somebody can refuse, as one process sees it. Never the secret itself. */
export const CredentialState = z.strictObject({
  /** A metric label: a word of our own, or an id from an operator's file. */
  name: z.string().regex(/^[A-Za-z0-9._:@/-]{1,120}$/),
  kind: z.enum(CREDENTIAL_KINDS),
  /** Who says so and where it is used, such as `dispatcher a`. */
  where: z.string().min(1).max(120),
  expiresAt: z.iso.datetime().optional(),
  /** When it was last seen to work: a verified handshake, a send that was accepted, a request, a proof of receipt. */
  lastProvedAt: z.iso.datetime().optional(),
  /** When it was last refused. Whoever compares it with `lastProvedAt` knows how things stand. */
  lastRefusedAt: z.iso.datetime().optional(),
});
export type CredentialState = z.infer<typeof CredentialState>;

/** At most so many are told by one process: those that end first. */
export const MAX_CREDENTIALS = 200;

/** Answer of `GET /v1/credentials` on ingests and dispatchers. */
export const CredentialReport = z.strictObject({
  v: z.literal(1),
  node: NodeName,
  credentials: z.array(CredentialState).max(MAX_CREDENTIALS),
});
export type CredentialReport = z.infer<typeof CredentialReport>;

/**
 * A refusal counts when nothing was accepted in the 20 s before it: among many devices one may always be refused. The
 * rule `CredentialRefused` compares the same two instants by the same limit.
 */
const REFUSED_AFTER_MS = 20_000;

/** Whether the last that is known of it is that it was refused. Pure. */
export function isRefused({ lastProvedAt, lastRefusedAt }: CredentialState): boolean {
  if (lastRefusedAt === undefined) return false;
  const provedMs = lastProvedAt === undefined ? 0 : Date.parse(lastProvedAt);
  return Date.parse(lastRefusedAt) - provedMs > REFUSED_AFTER_MS;
}

/** What ends first comes first; what has no end comes last. Pure. */
export function byEnd(states: readonly CredentialState[]): CredentialState[] {
  const end = ({ expiresAt }: CredentialState) =>
    expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
  return states.toSorted((a, b) => {
    const [endA, endB] = [end(a), end(b)];
    return endA === endB ? a.name.localeCompare(b.name) : endA - endB;
  });
}
