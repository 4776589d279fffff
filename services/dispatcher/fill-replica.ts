import type { Peer } from '../../shared/bus/bus-config.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { DispatcherEvents } from './events.ts';
import { Registry } from './registry.ts';
import { removeReplica } from './replica-file.ts';
import { fetchSnapshot } from './snapshot.ts';

/** Carried over in one go: about 10 ms. */
const SALVAGE_ROWS = 500;

export interface FillDeps {
  readonly registry: Registry;
  readonly peers: readonly Peer[];
  readonly token: string;
  readonly events: DispatcherEvents;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Puts a new file in the place of one that is empty or damaged: a peer's copy, if one gives it, and every good row of
 * the old file. The old one serves until then, so nobody who was known is unknown for an instant, and what only this
 * node still had is not lost. The streams are then followed from where the copy was, or from their beginnings.
 */
export async function fillReplica(deps: FillDeps): Promise<void> {
  const { registry, signal } = deps;
  const path = `${registry.path}.filling`;
  const isCopied = await fetchSnapshot(path, deps);
  if (!isCopied && !registry.damaged) return;
  if (!isCopied) removeReplica(path);
  if (registry.damaged) await salvage(registry, path, signal);
  if (signal.aborted) return;
  registry.replaceBy(path);
  deps.events.registryChanged(registry.size());
}

/** Carries every row that passes its checksum over; where the file cannot be read on, the rest comes from elsewhere. */
async function salvage(from: Registry, path: string, signal: AbortSignal): Promise<void> {
  const to = new Registry(path, 'none');
  to.beginFilling();
  try {
    let after = '';
    for (;;) {
      if (signal.aborted) return;
      const { records, last } = from.goodRecords(after, SALVAGE_ROWS);
      to.apply(
        records.map((record) => ({ record })),
        to.isFilling,
      );
      if (last === undefined) {
        await to.settle();
        return;
      }
      after = last;
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    to.close();
  }
}
