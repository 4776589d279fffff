import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { deviceReceiptSubject } from '../../../shared/bus/subjects.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { ReceiptCounts } from './receipt-counts.ts';

const FLUSH_EVERY_MS = 2_000;
const PUBLISH_TIMEOUT_MS = 1_000;

interface Deps {
  readonly counts: ReceiptCounts;
  readonly buses: readonly SiteBus[];
  readonly edge: string;
}

/** Publishes this edge's sums every two seconds, best effort: the next sum holds the ones before it. Until aborted. */
export async function publishCounts(deps: Deps, signal: AbortSignal): Promise<void> {
  while (await sleep(FLUSH_EVERY_MS, signal)) await flushCounts(deps);
  await flushCounts(deps);
}

async function flushCounts({ counts, buses, edge }: Deps): Promise<void> {
  for (const { alertId, transport, counts: sums } of counts.takeChanged()) {
    const subject = deviceReceiptSubject({ alertId, transport, edge });
    const data = JSON.stringify({ v: 1, edge, alertId, transport, counts: sums });
    await Promise.allSettled(
      buses.map((bus) => bus.publish(subject, data, { timeoutMs: PUBLISH_TIMEOUT_MS })),
    );
  }
}
