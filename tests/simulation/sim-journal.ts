import type { Arrival, JournalState } from '../../services/dispatcher/journal.ts';
import type { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { SimEnvelope } from './sim-envelope.ts';

export interface SimEntry {
  readonly seq: number;
  readonly envelope: SimEnvelope;
  /** What `decideArrival` asks of a known alert. */
  readonly contentHash: string;
  readonly state: JournalState;
  readonly arrivals: readonly Arrival[];
}

export interface SimCursor {
  readonly journal: number;
  readonly alerts: number;
  readonly receipts: number;
}

type Kept = { readonly seq: number; readonly receipt: CompletionReceipt };

/** As in production: receipts are synced together so long after the first of them, or with the next alert. */
const RECEIPTS_TOGETHER_MS = 20;

/**
 * The journal as production keeps it: what it holds of alerts is on disk when a write returns, so that a crash takes
 * nothing of it; of receipts it takes those that were not synced yet.
 */
export class SimJournal {
  /** Another one after the disk was lost: cursors of the old one begin anew. */
  readonly id: number;
  readonly #entries = new Map<string, SimEntry>();
  readonly #receipts = new Map<string, Kept>();
  /** What a crash would put in the place of the receipts that are not synced yet. */
  readonly #unsynced = new Map<string, Kept | undefined>();
  #unsyncedSinceMs = 0;
  /** When each was ended, by true time. */
  readonly #ended = new Map<string, number>();
  #seq = 0;

  constructor(id: number) {
    this.id = id;
  }

  find(id: string): SimEntry | undefined {
    return this.#entries.get(id);
  }

  insert(envelope: SimEnvelope, state: JournalState, arrival: Arrival): void {
    this.#unsynced.clear();
    const { id, contentHash } = envelope;
    this.#entries.set(id, { seq: ++this.#seq, envelope, contentHash, state, arrivals: [arrival] });
  }

  change(id: string, change: Partial<Pick<SimEntry, 'state' | 'arrivals'>>): void {
    this.#unsynced.clear();
    const entry = this.#entries.get(id);
    if (entry) this.#entries.set(id, { ...entry, ...change });
  }

  open(): SimEntry[] {
    return [...this.#entries.values()].filter(
      ({ state, envelope }) => state === 'open' && envelope.audience === 'public',
    );
  }

  expireOpen(nowMs: number): void {
    for (const { state, envelope } of this.#entries.values())
      if (state === 'open' && envelope.expiresAtMs <= nowMs)
        this.change(envelope.id, { state: 'expired' });
  }

  end(id: string, atMs: number): void {
    this.#unsynced.clear();
    if (!this.#ended.has(id)) this.#ended.set(id, atMs);
  }

  endedAtMs(id: string): number | undefined {
    return this.#ended.get(id);
  }

  isEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  addReceipt(receipt: CompletionReceipt, nowMs: number): boolean {
    if (nowMs - this.#unsyncedSinceMs >= RECEIPTS_TOGETHER_MS) this.#unsynced.clear();
    if (this.#unsynced.size === 0) this.#unsyncedSinceMs = nowMs;
    const { alertId, transport, shard, node } = receipt;
    const key = `${alertId}/${transport}/${shard}/${node}`;
    const before = this.#receipts.get(key);
    if (before && before.receipt.revision >= receipt.revision) return false;
    if (!this.#unsynced.has(key)) this.#unsynced.set(key, before);
    this.#receipts.delete(key);
    this.#receipts.set(key, { seq: ++this.#seq, receipt });
    return true;
  }

  /** The process died: what was not synced is not there any more. */
  crash(nowMs: number): void {
    if (nowMs - this.#unsyncedSinceMs < RECEIPTS_TOGETHER_MS)
      for (const [key, before] of this.#unsynced)
        if (before) this.#receipts.set(key, before);
        else this.#receipts.delete(key);
    this.#unsynced.clear();
  }

  receiptsOf(alertId: string): CompletionReceipt[] {
    return [...this.#receipts.values()]
      .map(({ receipt }) => receipt)
      .filter((receipt) => receipt.alertId === alertId);
  }

  after(cursor: SimCursor | undefined): {
    cursor: SimCursor;
    entries: SimEnvelope[];
    receipts: CompletionReceipt[];
  } {
    this.#unsynced.clear();
    const from = cursor?.journal === this.id ? cursor : { alerts: 0, receipts: 0 };
    const next = { journal: this.id, alerts: this.#seq, receipts: this.#seq };
    if (from.alerts === this.#seq) return { cursor: next, entries: [], receipts: [] };
    const entries = [...this.#entries.values()].filter(
      ({ seq, envelope }) => seq > from.alerts && envelope.audience === 'public',
    );
    const receipts = [...this.#receipts.values()].filter(({ seq }) => seq > from.receipts);
    return {
      cursor: next,
      entries: entries.map(({ envelope }) => envelope),
      receipts: receipts.map(({ receipt }) => receipt),
    };
  }
}
