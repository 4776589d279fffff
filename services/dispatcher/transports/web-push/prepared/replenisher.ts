import { backoffMs } from '../../../../../shared/time/backoff.ts';
import { sleep } from '../../../../../shared/time/sleep.ts';
import { FINGERPRINT_WORDS, type WebPushKeys } from './fingerprint.ts';
import type { PreparedEvents } from './prepared-metrics.ts';
import type { PreparedStore } from './prepared-store.ts';
import { decodeKeys } from './push-encryptor.ts';
import { BATCH_SLOT_BYTES, recordIn, writeKeys } from './record-batch.ts';
import { RecordWorker } from './record-worker.ts';

/** Pages of keys of all active Web Push subscriptions, in any order; a page of some hundred. */
export type ReadSubscriptions = () => AsyncIterable<readonly WebPushKeys[]>;

export interface ReplenisherOptions {
  /** Time between the end of a pass over all subscriptions and the beginning of the next. */
  readonly passEveryMs: number;
  /** How often to look again whether an alert is still being sent. */
  readonly pauseMs: number;
  /** Records that are made at a time: about 0.2 ms of the thread each. */
  readonly batch: number;
  readonly batchDeadlineMs: number;
  readonly afterDeath: { readonly firstMs: number; readonly maxMs: number };
  /** Another worker, for tests. */
  readonly workerScript?: URL;
}

export const REPLENISHER_DEFAULTS: ReplenisherOptions = {
  passEveryMs: 600_000,
  pauseMs: 100,
  batch: 256,
  batchDeadlineMs: 60_000,
  afterDeath: { firstMs: 1_000, maxMs: 60_000 },
};

export interface ReplenisherDeps {
  readonly store: PreparedStore;
  readonly readSubscriptions: ReadSubscriptions;
  /** While it is true nothing is read and nothing made, apart from the page and the batch under way. */
  readonly isSending: () => boolean;
  readonly events: PreparedEvents;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface Replenisher {
  /** Begins a pass now instead of at its time: after an alert, or after subscriptions have come. */
  wake(): void;
  close(): Promise<void>;
}

/** Slots looked at between two turns of the event loop. */
const SWEEP_SLICE = 2_048;

/**
 * Keeps the store filled: goes over all subscriptions at its leisure and has records made, in a thread of lowest
 * priority, for those that have none; at the end of a pass it drops records that no subscription wants any more.
 */
export function startReplenisher(options: ReplenisherOptions, deps: ReplenisherDeps): Replenisher {
  const stop = new AbortController();
  let idle = new AbortController();
  const worker = new RecordWorker(
    {
      deadlineMs: options.batchDeadlineMs,
      ...(options.workerScript === undefined ? {} : { script: options.workerScript }),
    },
    { onDeath: (error) => deps.events.workerDied(error) },
  );
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await new Pass(options, deps, worker, stop.signal).run();
      } catch (error) {
        deps.events.passFailed(error);
      }
      await worker.rest();
      await sleep(options.passEveryMs, AbortSignal.any([idle.signal, stop.signal]));
      idle = new AbortController();
    }
  };
  const running = run();
  return {
    wake: () => idle.abort(),
    close: async () => {
      stop.abort();
      await worker.rest();
      await running;
    },
  };
}

/** One pass over all subscriptions. */
class Pass {
  readonly #options: ReplenisherOptions;
  readonly #deps: ReplenisherDeps;
  readonly #worker: RecordWorker;
  readonly #stop: AbortSignal;
  readonly #fingerprints: Int32Array;
  readonly #fingerprint = new Int32Array(FINGERPRINT_WORDS);
  /** Undefined while the worker has it, and when it was lost with the worker. */
  #buffer: ArrayBuffer | undefined;
  #count = 0;
  #deaths = 0;

  constructor(
    options: ReplenisherOptions,
    deps: ReplenisherDeps,
    worker: RecordWorker,
    stop: AbortSignal,
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#worker = worker;
    this.#stop = stop;
    this.#fingerprints = new Int32Array(options.batch * FINGERPRINT_WORDS);
  }

  async run(): Promise<void> {
    const { store, readSubscriptions } = this.#deps;
    await this.#whileSending();
    store.beginPass();
    for await (const page of readSubscriptions()) {
      await this.#whileSending();
      if (this.#stop.aborted) return;
      for (const keys of page) {
        this.#addIfLacking(keys);
        if (this.#count === this.#options.batch) await this.#makeBatch();
      }
    }
    await this.#makeBatch();
    if (!this.#stop.aborted) await this.#sweep();
  }

  #addIfLacking(keys: WebPushKeys): void {
    const { store } = this.#deps;
    if (!store.lacks(keys, this.#fingerprint) || store.ready + this.#count >= store.capacity)
      return;
    this.#buffer ??= new ArrayBuffer(this.#options.batch * BATCH_SLOT_BYTES);
    if (!writeKeys(Buffer.from(this.#buffer), this.#count, decodeKeys(keys))) return;
    this.#fingerprints.set(this.#fingerprint, this.#count * FINGERPRINT_WORDS);
    this.#count++;
  }

  async #makeBatch(): Promise<void> {
    await this.#whileSending();
    const count = this.#count;
    const buffer = this.#buffer;
    this.#count = 0;
    if (count === 0 || buffer === undefined || this.#stop.aborted) return;
    this.#buffer = undefined;
    const made = await this.#worker.make(buffer, count);
    if (made === undefined) await this.#afterDeath();
    else this.#takeIn(made, count);
  }

  #takeIn(made: ArrayBuffer, count: number): void {
    const { store, events } = this.#deps;
    const batch = Buffer.from(made);
    let taken = 0;
    for (let slot = 0; slot < count; slot++) {
      const record = recordIn(batch, slot);
      if (record === undefined) continue;
      const at = slot * FINGERPRINT_WORDS;
      const fingerprint = this.#fingerprints.subarray(at, at + FINGERPRINT_WORDS);
      if (store.put(fingerprint, record)) taken++;
    }
    batch.fill(0);
    this.#buffer = made;
    this.#deaths = 0;
    events.made(taken);
  }

  async #sweep(): Promise<void> {
    for (let from: number | undefined = 0; from !== undefined && !this.#stop.aborted; ) {
      from = this.#deps.store.sweep(from, SWEEP_SLICE);
      await sleep(0, this.#stop);
    }
  }

  /** Its batch is lost: the next pass finds the same subscriptions again. */
  async #afterDeath(): Promise<void> {
    if (this.#stop.aborted) return;
    this.#deaths++;
    await sleep(backoffMs(this.#deaths, this.#options.afterDeath, this.#deps.random()), this.#stop);
  }

  async #whileSending(): Promise<void> {
    while (this.#deps.isSending() && !this.#stop.aborted)
      await sleep(this.#options.pauseMs, this.#stop);
  }
}
