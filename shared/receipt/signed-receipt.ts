import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { NodeName, TransportKind } from '../envelope/envelope.ts';
import type { TrustedKey } from '../envelope/key-set.ts';
import { MAX_DEVICE_BYTES } from '../envelope/push-payload.ts';
import type { Sign } from '../envelope/signature.ts';

/** Name of a receiver of a canary's: `a-web-push`, `a-unified-push`, `a-probe-x7k2m9`. It is the key id of its receipts. */
export const ProbeName = z.string().regex(/^[a-z0-9-]{1,40}$/);

/**
 * What a receiver says of one push that it decrypted and verified. Of the path it knows the transport it was reached by
 * and the dispatcher that says it sent it; ingest and lane follow from the nonce, which only the round's sender knows
 * before.
 */
export const ProbeReceipt = z.strictObject({
  v: z.literal(1),
  probe: ProbeName,
  transport: TransportKind,
  via: NodeName,
  messageId: AlertId,
  /** By the receiver's own clock. */
  receivedAt: z.iso.datetime(),
  /** Of a canary's round: the sender's nonce, repeated. */
  nonce: z.string().min(1).max(100).optional(),
  /** Of an alert to the public: the signed device message as it came, so that the receipt can be of no other text. */
  alert: z.string().max(MAX_DEVICE_BYTES).optional(),
});
export type ProbeReceipt = z.infer<typeof ProbeReceipt>;

/** A signed receipt is a compact JWS; anything longer is refused before it is looked at. */
export const MAX_RECEIPT_BYTES = 8 * 1024;

/** The receipt as the compact JWS (EdDSA, `typ` tocsin-receipt) that it is handed in as. */
export function signReceipt(receipt: ProbeReceipt, sign: Sign): Promise<string> {
  return sign(JSON.stringify(ProbeReceipt.parse(receipt)));
}

/** The public half of a receiver's key, as the verifier takes it: it may speak for that receiver and for nothing else. */
export function receiptKeyOf(probe: string, x: string): TrustedKey {
  return { kty: 'OKP', crv: 'Ed25519', x, kid: probe, audience: 'canary' };
}

const Header = z.object({ kid: ProbeName });

/**
 * Whose receipt it says it is; undefined when it does not say. Good for looking up the key, which then proves it, and
 * for nothing else.
 */
export function claimedProbe(jws: string): string | undefined {
  try {
    const [header = ''] = jws.slice(0, 1000).split('.', 1);
    return Header.safeParse(JSON.parse(textOf(header))).data?.kid;
  } catch {
    return undefined;
  }
}

function textOf(base64url: string): string {
  return atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
}
