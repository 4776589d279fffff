import { z } from 'zod';
import type { Peer } from '../../shared/bus/bus-config.ts';
import { MAX_ENVELOPE_BYTES } from '../../shared/envelope/envelope.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherMetrics } from './metrics.ts';

/** `<journal id>.<last alert>.<last receipt>`; to the reader it is opaque. */
export const JournalCursorText = z.string().regex(/^[0-9a-f]{0,16}\.\d{1,15}\.\d{1,15}$/);
export const JOURNAL_START = '.0.0';

/** What a dispatcher answers to `GET /v1/journal?since=<cursor>`. */
export const JournalPage = z.strictObject({
  cursor: JournalCursorText,
  entries: z
    .array(z.strictObject({ id: z.string(), jws: z.string().max(MAX_ENVELOPE_BYTES) }))
    .max(200),
  receipts: z.array(CompletionReceipt).max(1_000),
});
export type JournalPage = z.infer<typeof JournalPage>;

const CATCH_UP_MS = 2_000;
const FLUSH_MS = 50;
const RECEIPTS_PER_POST = 100;
/** Device ids in the receipts of one post (25 bytes each): a peer takes 4 MB, and what it refuses would be said again for ever. */
const PENDING_PER_POST = 60_000;
const MAX_QUEUED = 5_000;
const TIMEOUT_MS = 2_000;
/** A peer that said nothing for this long: what it holds back is taken over. */
const SILENT_AFTER_MS = 5_000;

interface Deps {
  readonly peers: readonly Peer[];
  readonly token: string;
  readonly takeAlert: (jws: string) => Promise<unknown>;
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
  readonly metrics: DispatcherMetrics;
  readonly log: Logger;
  readonly now: Clock;
}

export interface Peers {
  /** Says a receipt to every peer, directly. */
  readonly say: (receipt: CompletionReceipt) => void;
  /** Something came from that node just now. */
  readonly heardFrom: (node: string) => void;
  readonly silent: (node: string) => boolean;
  readonly close: () => Promise<void>;
}

/**
 * The direct way between dispatchers: receipts are pushed, and every two seconds each peer is asked for alerts and
 * receipts that this node lacks. It needs nothing of the bus, and tells by the way who is alive.
 */
export function startPeers(deps: Deps): Peers {
  const stop = new AbortController();
  const lastHeardMs = new Map(deps.peers.map((peer) => [peer.name, deps.now()]));
  const heardFrom = (node: string) => {
    if (lastHeardMs.has(node)) lastHeardMs.set(node, deps.now());
  };
  const links = deps.peers.map((peer) =>
    startLink(peer, { ...deps, heardFrom, signal: stop.signal }),
  );
  return {
    say: (receipt) => {
      for (const link of links) link.say(receipt);
    },
    heardFrom,
    silent: (node) => deps.now() - (lastHeardMs.get(node) ?? 0) > SILENT_AFTER_MS,
    close: async () => {
      stop.abort();
      await Promise.all(links.map((link) => link.ended));
    },
  };
}

interface LinkDeps extends Deps {
  readonly heardFrom: (node: string) => void;
  readonly signal: AbortSignal;
}

function startLink(
  peer: Peer,
  deps: LinkDeps,
): { say: (receipt: CompletionReceipt) => void; ended: Promise<unknown> } {
  const queue: CompletionReceipt[] = [];
  return {
    say: (receipt) => {
      // What falls out here reaches the peer by the bus or when it asks.
      if (queue.length >= MAX_QUEUED) {
        queue.shift();
        deps.metrics.receiptsDropped.inc();
      }
      queue.push(receipt);
    },
    ended: Promise.all([pushReceipts(peer, queue, deps), catchUp(peer, deps)]),
  };
}

/** The oldest receipts that fit into one post; at least one. */
export function nextBatch(queue: readonly CompletionReceipt[]): CompletionReceipt[] {
  const batch: CompletionReceipt[] = [];
  let pending = 0;
  for (const receipt of queue.slice(0, RECEIPTS_PER_POST)) {
    pending += receipt.pending.length;
    if (batch.length > 0 && pending > PENDING_PER_POST) break;
    batch.push(receipt);
  }
  return batch;
}

async function pushReceipts(peer: Peer, queue: CompletionReceipt[], deps: LinkDeps): Promise<void> {
  let waitMs = FLUSH_MS;
  while (await sleep(waitMs, deps.signal)) {
    waitMs = FLUSH_MS;
    if (queue.length === 0) continue;
    const batch = nextBatch(queue);
    try {
      await fetchJson(`${peer.url}/v1/receipts`, {
        schema: z.undefined(),
        timeoutMs: TIMEOUT_MS,
        token: deps.token,
        json: batch,
        signal: deps.signal,
      });
      queue.splice(0, batch.length);
      deps.heardFrom(peer.name);
    } catch {
      waitMs = 1_000;
    }
  }
}

/** Anti-entropy: reads on in the peer's journal from where this node was. After a restart it reads it all again. */
async function catchUp(peer: Peer, deps: LinkDeps): Promise<void> {
  let cursor = JOURNAL_START;
  let wasReachable = true;
  do {
    try {
      const url = `${peer.url}/v1/journal?since=${cursor}`;
      const { token, signal } = deps;
      const page = await fetchJson(url, {
        schema: JournalPage,
        timeoutMs: TIMEOUT_MS,
        token,
        signal,
      });
      deps.heardFrom(peer.name);
      wasReachable = true;
      for (const entry of page.entries) await takeOne(entry.jws, deps);
      for (const receipt of page.receipts) deps.takeReceipt(receipt);
      const moved = page.cursor !== cursor;
      cursor = page.cursor;
      if (moved) continue;
    } catch (error) {
      if (wasReachable && !deps.signal.aborted)
        deps.log.warn({ ...errorFields(error), peer: peer.name }, 'peer does not answer');
      wasReachable = false;
    }
    if (!(await sleep(CATCH_UP_MS, deps.signal))) return;
  } while (!deps.signal.aborted);
}

/** One alert that cannot be taken (counted where it is refused) does not keep the next ones away. */
async function takeOne(jws: string, deps: LinkDeps): Promise<void> {
  try {
    await deps.takeAlert(jws);
  } catch (error) {
    deps.log.warn(errorFields(error), 'an alert from a peer was not taken');
  }
}
