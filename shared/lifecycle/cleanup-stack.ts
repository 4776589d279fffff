/**
 * Clean-ups by name, registered on the line after what they clean was acquired, run last in first out, each bounded in
 * time. `close` may be called twice; errors of one clean-up do not keep the next from running.
 */
export class CleanupStack implements AsyncDisposable {
  readonly #cleanups: { name: string; run: () => unknown }[] = [];
  readonly #timeoutMs: number;
  #closing: Promise<void> | undefined;

  constructor(timeoutMs = 5_000) {
    this.#timeoutMs = timeoutMs;
  }

  add(name: string, run: () => unknown): void {
    this.#cleanups.push({ name, run });
  }

  close(): Promise<void> {
    this.#closing ??= this.#runAll();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #runAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let last = this.#cleanups.pop(); last !== undefined; last = this.#cleanups.pop()) {
      try {
        await this.#bounded(last);
      } catch (error) {
        errors.push(new Error(`clean-up "${last.name}" failed`, { cause: error }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'some clean-ups failed');
  }

  async #bounded({ run }: { run: () => unknown }): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`took more than ${this.#timeoutMs} ms`)),
        this.#timeoutMs,
      );
    });
    try {
      await Promise.race([run(), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Runs a composition root: what it registered is undone if it throws half-way. The root returns its handle's fields;
 * `close` is added.
 */
export async function startWithCleanup<Handle extends object>(
  start: (cleanup: CleanupStack) => Promise<Handle>,
): Promise<Handle & { close: () => Promise<void> }> {
  const cleanup = new CleanupStack();
  try {
    const handle = await start(cleanup);
    return { ...handle, close: () => cleanup.close() };
  } catch (error) {
    await cleanup.close().catch(() => undefined);
    throw error;
  }
}
