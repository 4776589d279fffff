import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { receiptSubject } from '../../shared/bus/subjects.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Journal } from './journal.ts';
import type { Peers } from './peers.ts';

const PUBLISH_TIMEOUT_MS = 2_000;

/**
 * Keeps a receipt in the journal and says it on both ways at once: directly to peers and on every site's bus. Nothing
 * waits for the bus, and a bus that does not take it loses nothing: peers also ask for what they lack.
 */
export function createSayReceipt(deps: {
  readonly journal: Journal;
  readonly peers: () => Peers;
  readonly buses: readonly SiteBus[];
  /** The span of this node's part of an alert: the receipt's header on the bus. */
  readonly traceparentOf?: (alertId: string) => string | undefined;
}): (receipt: CompletionReceipt) => void {
  return (receipt) => {
    deps.journal.addReceipt(receipt);
    deps.peers().say(receipt);
    const body = JSON.stringify(receipt);
    const traceparent = deps.traceparentOf?.(receipt.alertId);
    const options = { timeoutMs: PUBLISH_TIMEOUT_MS, traceparent };
    for (const bus of deps.buses)
      if (bus.ready) bus.publish(receiptSubject(receipt), body, options).catch(() => undefined);
  };
}
