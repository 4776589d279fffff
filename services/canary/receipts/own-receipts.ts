import type { ProbeReceipt } from '../../../shared/receipt/signed-receipt.ts';
import type { Handed, ReceiptDesk } from './receipt-desk.ts';
import { openReceiptKey, type ReceiptKey } from './receipt-key.ts';

/** Receipts of the probes that live in this process: signed and judged like those that come from elsewhere. */
export interface OwnReceipts {
  /** Opens the probe's key and has its receipts count. */
  readonly enlist: (probe: string) => void;
  /** Signs and hands in. Rejects for a probe that was not enlisted: that is a mistake of ours. */
  readonly handIn: (probe: string, receipt: ReceivedFacts) => Promise<Handed>;
}

export type ReceivedFacts = Omit<ProbeReceipt, 'v' | 'probe'>;

export function createOwnReceipts(dataDir: string, desk: ReceiptDesk): OwnReceipts {
  const keys = new Map<string, ReceiptKey>();
  return {
    enlist: (probe) => {
      const key = openReceiptKey(dataDir, probe);
      keys.set(probe, key);
      desk.admit(key.publicKey);
    },
    handIn: async (probe, receipt) => {
      const key = keys.get(probe);
      if (!key) throw new Error(`${probe} has no key to sign its receipts with`);
      return await desk.handIn(await key.sign({ v: 1, probe, ...receipt }));
    },
  };
}
