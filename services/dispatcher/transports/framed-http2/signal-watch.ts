/** A signal that requests hang on. */
export interface WatchedSignal {
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
  requests: number;
  isAborted: boolean;
}

/** So many signals may be without requests before their listeners are taken off. */
const MAX_UNUSED = 16;

/** One listener for each signal, however many requests it ends. */
export class SignalWatch {
  readonly #onAbort: (watched: WatchedSignal) => void;
  readonly #watched = new Map<AbortSignal, WatchedSignal>();
  #last: WatchedSignal | undefined;
  #unused = 0;

  constructor(onAbort: (watched: WatchedSignal) => void) {
    this.#onAbort = onAbort;
  }

  /** Signals that are listened to. */
  get count(): number {
    return this.#watched.size;
  }

  /** For one request; `release` when it has settled. Undefined: the signal is aborted. */
  acquire(signal: AbortSignal): WatchedSignal | undefined {
    const last = this.#last;
    const watched = last?.signal === signal ? last : this.#find(signal);
    if (watched === undefined || watched.isAborted) return undefined;
    if (watched.requests++ === 0) this.#unused--;
    return watched;
  }

  release(watched: WatchedSignal): void {
    if (--watched.requests > 0 || watched.isAborted) return;
    this.#unused++;
    if (this.#unused > MAX_UNUSED) this.forgetUnused();
  }

  /** Takes the listeners off that nobody needs now. */
  forgetUnused(): void {
    for (const watched of this.#watched.values()) if (watched.requests === 0) this.#forget(watched);
    this.#unused = 0;
  }

  #find(signal: AbortSignal): WatchedSignal | undefined {
    if (signal.aborted) return undefined;
    const known = this.#watched.get(signal);
    const watched = known ?? this.#listen(signal);
    this.#last = watched;
    return watched;
  }

  #listen(signal: AbortSignal): WatchedSignal {
    const watched: WatchedSignal = {
      signal,
      onAbort: () => {
        watched.isAborted = true;
        if (watched.requests === 0) this.#unused--;
        this.#forget(watched);
        this.#onAbort(watched);
      },
      requests: 0,
      isAborted: false,
    };
    this.#watched.set(signal, watched);
    this.#unused++;
    signal.addEventListener('abort', watched.onAbort, { once: true });
    return watched;
  }

  #forget(watched: WatchedSignal): void {
    watched.signal.removeEventListener('abort', watched.onAbort);
    this.#watched.delete(watched.signal);
    if (this.#last === watched) this.#last = undefined;
  }
}
