import type { z } from 'zod';
import { type BusMessage, followStream } from '../../shared/bus/consume.ts';
import type { SiteBus } from '../../shared/bus/site-bus.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { PROOF_LIFE_SECONDS, ProofReport } from '../../shared/receipt/proof.ts';
import type { Clock } from '../../shared/time/clock.ts';
import type { DispatcherEvents } from './events.ts';

/** Receipts of the last quarter of an hour are read at the start; older ones come from peers' journals. */
const RECEIPTS_SINCE_MS = 15 * 60 * 1000;

interface Deps {
  readonly buses: readonly SiteBus[];
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
  readonly takeProofs: (report: ProofReport, spokenAtMs: number) => void;
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly now: Clock;
}

/** Reads peers' receipts and canaries' proofs from every site's bus: the other way is direct. */
export function followReceipts(deps: Deps): { close: () => Promise<void> } {
  const stop = new AbortController();
  const reading = { log: deps.log, signal: stop.signal };
  const receiptsSinceMs = deps.now() - RECEIPTS_SINCE_MS;
  const proofsSinceMs = deps.now() - PROOF_LIFE_SECONDS * 1000;
  const following = deps.buses.flatMap((bus) => [
    followStream(
      bus,
      { stream: 'RECEIPTS', start: () => ({ sinceMs: receiptsSinceMs }) },
      (message) => {
        // Edge counts devices' receipts on the same stream; those are not for dispatchers.
        if (message.subject.includes('.device.')) return;
        const receipt = parse(CompletionReceipt, message, () =>
          deps.events.junkDropped('receipts'),
        );
        if (receipt) deps.takeReceipt(receipt);
      },
      reading,
    ),
    followStream(
      bus,
      { stream: 'PROOFS', start: () => ({ sinceMs: proofsSinceMs }) },
      (message) => {
        const report = parse(ProofReport, message, () => deps.events.junkDropped('proofs'));
        if (report) deps.takeProofs(report, message.storedAtMs);
      },
      reading,
    ),
  ]);
  return {
    close: async () => {
      stop.abort();
      await Promise.all(following);
    },
  };
}

function parse<Schema extends z.ZodType>(
  schema: Schema,
  message: BusMessage,
  onJunk: () => void,
): z.infer<Schema> | undefined {
  try {
    return schema.parse(JSON.parse(message.data));
  } catch {
    onJunk();
    return undefined;
  }
}
