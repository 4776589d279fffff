import { Worker } from 'node:worker_threads';

/** To the worker with keys and back with records; the memory goes along. */
export interface BatchMessage {
  readonly buffer: ArrayBuffer;
  readonly count: number;
}

export interface RecordWorkerOptions {
  /** A batch that takes longer ends the worker, ms. Generous: the thread has the lowest priority. */
  readonly deadlineMs: number;
  /** Another worker, for tests. */
  readonly script?: URL;
}

/**
 * A thread that makes records, started when there is something to make and again when it has died; `rest` ends it until
 * it is needed again. One batch at a time.
 */
export class RecordWorker {
  readonly #options: RecordWorkerOptions;
  readonly #onDeath: (error: unknown) => void;
  #worker: Worker | undefined;
  #settle: ((result: ArrayBuffer | undefined) => void) | undefined;

  constructor(options: RecordWorkerOptions, { onDeath }: { onDeath: (error: unknown) => void }) {
    this.#options = options;
    this.#onDeath = onDeath;
  }

  /** The batch with records in it, in other memory than was given; undefined when the worker died over it. */
  make(buffer: ArrayBuffer, count: number): Promise<ArrayBuffer | undefined> {
    if (this.#settle) throw new Error('a batch is already being made');
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#died(worker, new Error('a batch took too long'));
        void worker.terminate();
      }, this.#options.deadlineMs);
      this.#settle = (result) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(result);
      };
      worker.postMessage({ buffer, count } satisfies BatchMessage, [buffer]);
    });
  }

  /** Ends the thread; what it was making is dropped. */
  async rest(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#settle?.(undefined);
    await worker?.terminate();
  }

  #start(): Worker {
    const script = this.#options.script ?? new URL('replenish-worker.ts', import.meta.url);
    const worker = new Worker(script, {
      execArgv: [],
      // The thread needs none of the process's settings and secrets.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    worker.on('message', ({ buffer }: BatchMessage) => {
      if (worker === this.#worker) this.#settle?.(buffer);
    });
    worker.on('error', (error) => this.#died(worker, error));
    worker.on('exit', (code) => this.#died(worker, new Error(`ended by itself with ${code}`)));
    return worker;
  }

  #died(worker: Worker, error: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#onDeath(error);
    this.#settle?.(undefined);
  }
}
