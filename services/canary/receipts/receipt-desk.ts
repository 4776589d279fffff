import { DeviceMessage } from '../../../shared/envelope/device-message.ts';
import type { TrustedKey } from '../../../shared/envelope/key-set.ts';
import { createVerifier, SignatureError, type Verify } from '../../../shared/envelope/signature.ts';
import type { ProbeWitness } from '../../../shared/receipt/proof.ts';
import {
  claimedProbe,
  MAX_RECEIPT_BYTES,
  ProbeReceipt,
} from '../../../shared/receipt/signed-receipt.ts';
import { fromShortTraceId } from '../../../shared/trace/trace-context.ts';
import type { Refusal, RoundBook } from '../round-book.ts';
import type { WitnessLog } from '../witness-log.ts';

/** What became of a receipt that was handed in. */
export type Handed =
  /** It counts: for the round of its nonce, or as witness of a real alert. */
  | { readonly kind: 'counted' | 'witnessed'; readonly probe: string }
  | { readonly kind: 'refused'; readonly probe: string | undefined; readonly reason: Refusal };

/** The one place where receipts of receivers become proofs: signed by a receiver that we know, or nothing. */
export interface ReceiptDesk {
  /** From now on receipts of this receiver (the key's id is its name) count. */
  readonly admit: (key: TrustedKey) => void;
  /** Its receipts count no more. */
  readonly expel: (probe: string) => void;
  readonly handIn: (jws: string) => Promise<Handed>;
}

interface ReceiptDeskDeps {
  readonly book: RoundBook;
  readonly witnesses: WitnessLog;
  /** Signatures of alerts, by the pinned keys. */
  readonly verifyAlert: Verify;
  /** `traceId`: the trace that was signed with the alert, or the alert's own id. */
  readonly onWitnessed: (witness: ProbeWitness, traceId: string) => void;
  readonly wallNow: () => number;
}

/** After an alert's end its receipts may still be on their way for this long. */
const WITNESS_GRACE_MS = 10 * 60_000;

export function createReceiptDesk(deps: ReceiptDeskDeps): ReceiptDesk {
  const verifiers = new Map<string, Verify>();
  return {
    admit: (key) => verifiers.set(key.kid, createVerifier({ keys: [key] }, 'receipt')),
    expel: (probe) => verifiers.delete(probe),
    handIn: async (jws) => {
      const probe = jws.length > MAX_RECEIPT_BYTES ? undefined : claimedProbe(jws);
      if (probe === undefined) return { kind: 'refused', probe, reason: 'malformed' };
      const refused = (reason: Refusal): Handed => ({ kind: 'refused', probe, reason });
      const verify = verifiers.get(probe);
      if (!verify) return refused('unknown-probe');
      const signed = await textOf(jws, verify);
      if (signed === undefined) return refused('bad-signature');
      const parsed = ProbeReceipt.safeParse(parseJson(signed));
      if (!parsed.success || parsed.data.probe !== probe) return refused('malformed');
      const receipt = parsed.data;
      if (receipt.alert !== undefined) return await witness(receipt, receipt.alert, deps);
      const counted = deps.book.receive({ ...receipt, nonce: receipt.nonce });
      return counted === 'counted' ? { kind: 'counted', probe } : refused(counted);
    },
  };
}

/** A real alert: what was received is what one of our ingests signed, or it is no witness. */
async function witness(
  receipt: ProbeReceipt,
  alert: string,
  { witnesses, verifyAlert, onWitnessed, wallNow }: ReceiptDeskDeps,
): Promise<Handed> {
  const { probe, transport, via, messageId } = receipt;
  const refused = (reason: Refusal): Handed => ({ kind: 'refused', probe, reason });
  const verified = await verifyAlert(alert).catch(refusedSignature);
  if (!verified) return refused('unsigned');
  const message = DeviceMessage.safeParse(parseJson(verified.payload)).data;
  if (message?.id !== messageId) return refused('malformed');
  if (message.audience !== 'public' || verified.audience !== 'public')
    return refused('wrong-audience');
  if (Date.parse(message.expires) + WITNESS_GRACE_MS <= wallNow()) return refused('expired');
  const receivedAt = new Date(wallNow()).toISOString();
  const entry = { alertId: messageId, probe, transport, via, receivedAt };
  if (!witnesses.add(message, entry)) return refused('repeated');
  onWitnessed(entry, fromShortTraceId(verified.trace) ?? messageId);
  return { kind: 'witnessed', probe };
}

async function textOf(jws: string, verify: Verify): Promise<string | undefined> {
  return (await verify(jws).catch(refusedSignature))?.payload;
}

function refusedSignature(error: unknown): undefined {
  if (error instanceof SignatureError) return undefined;
  throw error;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
