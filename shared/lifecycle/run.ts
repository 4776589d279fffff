import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';

/** How long a service may take to drain before it is ended by force. */
const DRAIN_LIMIT_MS = 10_000;

/**
 * The life of a process: start, wait for SIGINT or SIGTERM, close. A second signal, or a drain that takes too long,
 * ends it at once. A failed start is logged and leaves exit code 1.
 */
export async function runService(
  log: Logger,
  start: () => Promise<{ close: () => Promise<void> }>,
): Promise<void> {
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130));
        resolve(signal);
      });
    }
  });
  try {
    const service = await start();
    const signal = await stopped;
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time: ended by force');
      process.exit(1);
    }, DRAIN_LIMIT_MS).unref();
    await service.close();
    log.info('stopped');
    process.exit(0);
  } catch (error) {
    log.fatal(errorFields(error), 'service failed');
    process.exit(1);
  }
}
