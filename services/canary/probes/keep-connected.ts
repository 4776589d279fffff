import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { type BackoffOptions, backoffMs } from '../../../shared/time/backoff.ts';
import { sleep } from '../../../shared/time/sleep.ts';

/**
 * One connection from beginning to end: tells `onOpen` when it hears its server, and resolves or rejects when it is over.
 * Aborting the signal ends it, also before it is open.
 */
type Connect = (onOpen: () => void, signal: AbortSignal) => Promise<void>;

interface KeepConnectedDeps {
  readonly log: Logger;
  readonly random: () => number;
  /** Waits between two tries (ms). */
  readonly pauses?: BackoffOptions | undefined;
  /** How a wait is spent; ends early when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

interface KeptConnection {
  /** True from `onOpen` until that connection is over. */
  readonly connected: () => boolean;
  /** Ends the connection, or the try at one; another one follows. */
  readonly drop: () => void;
  /** Ends it for good. */
  readonly close: () => Promise<void>;
}

const PAUSES: BackoffOptions = { firstMs: 500, maxMs: 15_000 };

/** One connection after the other until it is closed; as long as none opens, the waits between them grow. */
export function keepConnected(
  connect: Connect,
  { log, random, pauses = PAUSES, wait = sleep }: KeepConnectedDeps,
): KeptConnection {
  const stop = new AbortController();
  let current = new AbortController();
  let connected = false;
  const run = async () => {
    for (let failures = 1; !stop.signal.aborted; failures++) {
      current = new AbortController();
      const onOpen = () => {
        failures = 1;
        connected = true;
      };
      try {
        await connect(onOpen, AbortSignal.any([stop.signal, current.signal]));
      } catch (error) {
        log.debug(errorFields(error), 'the push service cannot be reached');
      }
      connected = false;
      await wait(backoffMs(failures, pauses, random()), stop.signal);
    }
  };
  const running = run();
  return {
    connected: () => connected,
    drop: () => current.abort(),
    close: async () => {
      stop.abort();
      await running;
    },
  };
}
