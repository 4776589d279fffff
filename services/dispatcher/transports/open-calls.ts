import { oncePerTurn } from '../../../shared/time/once-per-turn.ts';

/** One thing that was begun and ends once. Made by {@link OpenCalls.begin}. */
export class OpenCall<Result> {
  readonly startedAtMs: number;
  readonly signal: AbortSignal;
  /** Runs when it ends, before the result is handed out: to let go of what it held. */
  onEnd: ((result: Result) => void) | undefined;
  before: OpenCall<Result> | undefined;
  after: OpenCall<Result> | undefined;
  readonly #settle: (result: Result) => void;
  readonly #leave: (call: OpenCall<Result>, result: Result) => void;
  #settled = false;

  constructor(
    signal: AbortSignal,
    startedAtMs: number,
    settle: (result: Result) => void,
    leave: (call: OpenCall<Result>, result: Result) => void,
  ) {
    this.signal = signal;
    this.startedAtMs = startedAtMs;
    this.#settle = settle;
    this.#leave = leave;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** The first result counts; what comes later is dropped. */
  settle(result: Result): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#leave(this, result);
    this.onEnd?.(result);
    this.#settle(result);
  }
}

export interface OpenCallsOptions<Result> {
  /** The same for all, so that they come due in the order in which they began. */
  readonly deadlineMs: number;
  readonly onDeadline: Result;
  readonly onAbort: Result;
  /** Runs whenever one ends, before its result is handed out: what is the same for all needs no function of each. */
  readonly onEach?: (result: Result, call: OpenCall<Result>) => void;
}

/**
 * Everything that somebody has begun and not ended: settled by its deadline and when its signal says so, with one timer
 * for all and one listener per signal (one of each per message would cost more than the message).
 */
export class OpenCalls<Result> {
  readonly #options: OpenCallsOptions<Result>;
  readonly #watched = new WeakSet<AbortSignal>();
  readonly #leave = (call: OpenCall<Result>, result: Result) => {
    this.#unlink(call);
    this.#options.onEach?.(result, call);
  };
  readonly #tick = () => this.#onTimer();
  /** On the clock of `performance.now()`. */
  readonly #now = oncePerTurn(() => performance.now());
  #first: OpenCall<Result> | undefined;
  #last: OpenCall<Result> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  constructor(options: OpenCallsOptions<Result>) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** For how long one has been open. */
  ageMs({ startedAtMs }: OpenCall<Result>): number {
    return this.#now() - startedAtMs;
  }

  /** The caller has looked at `signal.aborted`. */
  begin(signal: AbortSignal, settle: (result: Result) => void): OpenCall<Result> {
    const call = new OpenCall(signal, this.#now(), settle, this.#leave);
    if (!this.#watched.has(signal)) this.#watch(signal);
    call.before = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.after = call;
    this.#last = call;
    this.#size++;
    if (this.#timer === undefined) this.#arm(this.#options.deadlineMs);
    return call;
  }

  settleAll(result: Result): void {
    for (const call of this.#list()) call.settle(result);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The listener stays as long as its signal: that is a run of an alert, not a message. */
  #watch(signal: AbortSignal): void {
    this.#watched.add(signal);
    const onAbort = () => {
      for (const call of this.#list())
        if (call.signal === signal) call.settle(this.#options.onAbort);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  }

  /** A copy: each one that ends may begin another. */
  #list(): OpenCall<Result>[] {
    const calls: OpenCall<Result>[] = [];
    for (let call = this.#first; call !== undefined; call = call.after) calls.push(call);
    return calls;
  }

  #unlink(call: OpenCall<Result>): void {
    if (call.before === undefined) this.#first = call.after;
    else call.before.after = call.after;
    if (call.after === undefined) this.#last = call.before;
    else call.after.before = call.before;
    call.before = undefined;
    call.after = undefined;
    this.#size--;
  }

  /** Not moved on when the first one ends: at most one firing per deadline finds nothing to do. */
  #arm(delayMs: number): void {
    this.#timer = setTimeout(this.#tick, delayMs);
    this.#timer.unref();
  }

  /** What ends may begin another one: that must not set the timer, its own deadline is the last of all. */
  #onTimer(): void {
    const nowMs = performance.now();
    const { deadlineMs, onDeadline } = this.#options;
    while (this.#first !== undefined && nowMs - this.#first.startedAtMs >= deadlineMs)
      this.#first.settle(onDeadline);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#first !== undefined)
      this.#arm(Math.max(1, this.#first.startedAtMs + deadlineMs - nowMs));
  }
}
