import { setImmediate as nextTurn } from 'node:timers/promises';

export interface WorkQueue<Item> {
  /** False when the queue is full: the item was not taken. */
  offer(item: Item): boolean;
  readonly size: number;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
  /** What waits is thrown away. */
  close(): void;
}

interface WorkQueueOptions<Item> {
  /** Must not reject; what it rejects with all the same goes to `onError`. */
  readonly work: (item: Item) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly concurrency: number;
  readonly limit: number;
}

/**
 * Work in order of arrival, a few at a time, with a turn of the event loop between items, so that whoever offers the
 * work (an answer to a sender) is not kept waiting by it.
 */
export function createWorkQueue<Item>(options: WorkQueueOptions<Item>): WorkQueue<Item> {
  let waiting: Item[] = [];
  let next = 0;
  let running = 0;
  let closed = false;
  let onIdle: (() => void)[] = [];
  const take = (): Item | undefined => {
    const item = waiting[next++];
    // The front is cut off now and then: shifting each item would make a long queue slow.
    if (next > 1024) {
      waiting = waiting.slice(next);
      next = 0;
    }
    return item;
  };
  const pump = async () => {
    while (waiting.length > next) {
      const item = take();
      if (item === undefined) break;
      await options.work(item).catch(options.onError);
      await nextTurn();
    }
    running--;
    if (running > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  };
  return {
    offer: (item) => {
      if (closed || waiting.length - next >= options.limit) return false;
      waiting.push(item);
      if (running < options.concurrency) {
        running++;
        nextTurn().then(pump).catch(options.onError);
      }
      return true;
    },
    get size() {
      return waiting.length - next;
    },
    idle: () =>
      running === 0 && waiting.length === next
        ? Promise.resolve()
        : new Promise((resolve) => onIdle.push(resolve)),
    close: () => {
      closed = true;
      waiting = [];
      next = 0;
    },
  };
}
