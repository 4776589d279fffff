import { generateKeyPairSync } from 'node:crypto';
import { SigningKey, type TrustedKey } from '../../../shared/envelope/key-set.ts';
import { createSigner } from '../../../shared/envelope/signature.ts';
import {
  type ProbeReceipt,
  receiptKeyOf,
  signReceipt,
} from '../../../shared/receipt/signed-receipt.ts';
import { stateFile } from '../probes/probe-state.ts';

/** What a probe in this process signs its receipts with. */
export interface ReceiptKey {
  readonly publicKey: TrustedKey;
  readonly sign: (receipt: ProbeReceipt) => Promise<string>;
}

/** The probe's Ed25519 key in its own file beside its state; one that is missing or damaged is made anew. */
export function openReceiptKey(dataDir: string, probe: string): ReceiptKey {
  const file = stateFile(dataDir, `${probe}-receipts`, SigningKey);
  const found = file.read();
  const key = found?.kid === probe ? found : newKey(probe);
  if (key !== found) file.write(key);
  const signer = createSigner(key, 'receipt');
  return {
    publicKey: receiptKeyOf(probe, key.x),
    sign: async (receipt) => signReceipt(receipt, await signer),
  };
}

function newKey(probe: string): SigningKey {
  const { x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return SigningKey.parse({ ...receiptKeyOf(probe, x ?? ''), d });
}
