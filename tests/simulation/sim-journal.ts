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

/** The journal as production keeps it: every write is on disk when it returns, so a crash takes nothing of it. */
export class SimJournal {
  /** Another one after the disk was lost: cursors of the old one begin anew. */
  readonly id: number;
  readonly #entries = new Map<string, SimEntry>();
  readonly #receipts = new Map<string, { seq: number; receipt: CompletionReceipt }>();
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
    const { id, contentHash } = envelope;
    this.#entries.set(id, { seq: ++this.#seq, envelope, contentHash, state, arrivals: [arrival] });
  }

  change(id: string, change: Partial<Pick<SimEntry, 'state' | 'arrivals'>>): void {
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
    if (!this.#ended.has(id)) this.#ended.set(id, atMs);
  }

  endedAtMs(id: string): number | undefined {
    return this.#ended.get(id);
  }

  isEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  addReceipt(receipt: CompletionReceipt): boolean {
    const { alertId, transport, shard, node } = receipt;
    const key = `${alertId}/${transport}/${shard}/${node}`;
    const before = this.#receipts.get(key);
    if (before && before.receipt.revision >= receipt.revision) return false;
    this.#receipts.delete(key);
    this.#receipts.set(key, { seq: ++this.#seq, receipt });
    return true;
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
