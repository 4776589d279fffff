import type { StreamCursor } from '../../shared/bus/consume.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { AudiencePart, RecipientFilter } from './recipient-query.ts';
import { RegistryFile } from './registry-file.ts';
import { RegistryScrubber } from './registry-health.ts';
import { countOfRecipients, pageOfRecipients, recipientOf } from './registry-recipients.ts';
import { pageOfRecords, type RecordsPage } from './registry-records.ts';
import { type Change, RegistryWriter } from './registry-writer.ts';
import type { StructureCheck } from './replica-file.ts';
import { runReplicaTask } from './replica-task.ts';
import type { Recipient } from './row-format.ts';

export type { RecipientFilter } from './recipient-query.ts';
export type { Recipient } from './row-format.ts';

/**
 * This node's full replica of the registry, in a local SQLite file: at alert time nothing outside is asked. It is filled
 * from every site's REGISTRY stream; of one device's records the one with the highest version wins, so order and site
 * do not matter. Every row carries a checksum: what fails it is never sent to, is counted, and makes the replica
 * `damaged` until another file takes its place ({@link Registry.replaceBy}).
 *
 * Here is what the rest of the dispatcher asks of it; how it is done stands in registry-file.ts (the file and what is
 * known of it), registry-writer.ts (changes, filling), registry-recipients.ts (whom an alert is for), registry-records.ts
 * and registry-health.ts.
 */
export class Registry {
  readonly #file: RegistryFile;
  readonly #writer: RegistryWriter;
  readonly #scrubber: RegistryScrubber;

  /** Throws what SQLite says when the file is there and cannot be opened for another reason than its content. */
  constructor(path: string, check: StructureCheck = 'small-files') {
    this.#file = new RegistryFile(path, check);
    this.#writer = new RegistryWriter(this.#file);
    this.#scrubber = new RegistryScrubber(this.#file);
  }

  get path(): string {
    return this.#file.path;
  }

  /** True when the file that was there could not be used (and is set aside) and a new one is being filled. */
  get rebuilt(): boolean {
    return this.#file.setAside !== undefined;
  }

  /** Something in the file is not what was written: what is good in it still serves, and it holds not everybody. */
  get damaged(): boolean {
    return this.#file.isDamaged;
  }

  /** Nothing has been written into this file yet. */
  get isNew(): boolean {
    return this.#file.isNew;
  }

  /** An empty file is being filled without a log. */
  get isFilling(): boolean {
    return this.#writer.isFilling;
  }

  /** The structure of a large file has still to be looked at ({@link check}): until then it serves and claims nothing. */
  get isUnchecked(): boolean {
    return this.#file.isUnchecked;
  }

  /** Changes whenever {@link Recipient.row} may mean another device than before: another file, or one set back. */
  get fileNumber(): number {
    return this.#file.number;
  }

  /** Calls `listener` at each row that is found damaged. */
  watchDamage(listener: (what: string) => void): void {
    this.#file.watchDamage(listener);
  }

  /** Calls `listener` when changes that were held are lost: the streams are to be read on from the cursors. */
  watchRollBack(listener: () => void): void {
    this.#writer.watchRollBack(listener);
  }

  /**
   * Applies records and moves the sites' cursors, in one transaction, or with `hold` in one that stays open: what is
   * read sees it, and the disk gets it with {@link commit}, which costs as much for many as for few. Into a file whose
   * content turns out to be damaged nothing is written: the records are read again when another has taken its place.
   */
  apply(batch: readonly Change[], hold = false): void {
    this.#writer.apply(batch, hold);
  }

  /** Writes what was held. */
  commit(): void {
    this.#writer.commit();
  }

  /**
   * While the log is so long that whoever writes much should wait for this: until then it cannot be begun again, and one
   * that grows on is copied into the file here, which holds up everything.
   */
  get logShortening(): Promise<void> | undefined {
    return this.#writer.logShortening;
  }

  /** From here on an empty file is filled without a log and without syncing; {@link settle} ends it. */
  beginFilling(): void {
    this.#writer.beginFilling();
  }

  /** Brings what was filled in to the disk, in a thread: after this a crash loses no more than in any other replica. */
  settle(): Promise<void> {
    return this.#writer.settle();
  }

  /** Looks, in a thread, at the structure of a file that was too large for it at the start. */
  check(signal: AbortSignal): Promise<void> {
    return this.#file.check(signal);
  }

  cursor(site: string): StreamCursor | undefined {
    const row = this.#file.statements.cursor.get(site);
    return row && { created: String(row['created']), sequence: Number(row['sequence']) };
  }

  /** The streams are to be read from their beginnings. */
  forgetCursors(): void {
    this.#file.db.exec('DELETE FROM cursors');
  }

  /** Notes that this file has once held all that the streams hold: with every bus gone it is as good as can be known. */
  markWhole(nowMs: number): void {
    this.#file.db
      .prepare('UPDATE state SET whole_since = ? WHERE whole_since IS NULL')
      .run(Math.round(nowMs));
  }

  get wasWhole(): boolean {
    return this.#file.statements.wholeSince.get()?.['whole_since'] !== null;
  }

  /** The newest version held of a device; a tombstone has to be newer. */
  version(deviceId: string): number {
    return this.#file.find(deviceId).known?.version ?? 0;
  }

  /** All active devices. */
  size(): number {
    return this.#writer.counts.active;
  }

  /** How many devices are known, the removed ones among them: as many as a whole stream has messages. */
  rows(): number {
    return this.#writer.counts.known;
  }

  /** Tombstones that were purged: a stream that is read from its beginning may know less than this file once did. */
  get purged(): number {
    return this.#writer.counts.purged;
  }

  /** How many devices an alert is for, on one transport; `includeProbes` is for a node's own progress. */
  count(filter: RecipientFilter, transport: TransportKind, includeProbes: boolean): number {
    return countOfRecipients(this.#file, filter, transport, includeProbes);
  }

  /**
   * One page of a shard's recipients, after `after`, in an order that is the same in every replica. It is the last one
   * when it has fewer than `limit`: only then, or when the file is damaged, does it leave out anybody. It has more when
   * ids share the hash of its last one: they come together, so that a walk can go on behind any device in any file.
   */
  page(filter: RecipientFilter, at: AudiencePart & { limit: number }): Recipient[] {
    return pageOfRecipients(this.#file, filter, at);
  }

  /** A device by its id, if it is still active: for a retry. `damaged`: it is there and cannot be read now. */
  recipient(deviceId: string): Recipient | 'damaged' | undefined {
    return recipientOf(this.#file, deviceId);
  }

  /**
   * Records as the streams hold them, tombstones among them, in the order of their places: those behind `after` (empty:
   * from the first); a few more than `limit` where hashes are shared. Without a `last` there is no more, or the file
   * cannot be read on: then it is {@link damaged}.
   */
  goodRecords(after: string, limit: number): RecordsPage {
    return pageOfRecords(this.#file, after, limit);
  }

  /** Forgets at most `limit` tombstones with a version (ms since 1970) below `beforeMs`. Returns how many. */
  purgeTombstones(beforeMs: number, limit: number): number {
    return this.#writer.purgeTombstones(beforeMs, limit);
  }

  /**
   * Checks the next `limit` rows, and that each can be found by its areas and by its id. Returns how many were looked
   * at; fewer than `limit` means that the end was reached and the next call begins again.
   */
  scrub(limit: number): number {
    return this.#scrubber.scrub(limit);
  }

  /** Copies the file as it stands at one instant, in a thread. */
  async copyTo(path: string): Promise<void> {
    await runReplicaTask({ kind: 'copy', path: this.path, to: path });
  }

  /**
   * Puts a finished replica in this one's place; a damaged file is set aside, another one is dropped. Throws when the
   * files cannot be moved: then whatever is there is used on.
   */
  replaceBy(path: string): void {
    try {
      this.#file.replaceBy(path);
    } finally {
      this.#writer.begunAnew();
    }
  }

  close(): void {
    this.#writer.end();
    this.#file.close();
  }
}
