import { followStream, type StreamCursor } from '../../../shared/bus/consume.ts';
import type { SiteBus } from '../../../shared/bus/site-bus.ts';
import { SignatureError } from '../../../shared/envelope/signature.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { RecentAlerts } from './recent-alerts.ts';

interface Deps {
  readonly alerts: RecentAlerts;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Younger alerts than this may still be in force. */
const LOOK_BACK_MS = 25 * 3600 * 1000;

/** Reads one site's ALERTS stream, so that an alert that came by the bus alone is on the page too. Until aborted. */
export async function followAlerts(bus: SiteBus, { alerts, log, signal }: Deps): Promise<void> {
  let cursor: StreamCursor | undefined;
  const sinceMs = Date.now() - LOOK_BACK_MS;
  await followStream(
    bus,
    { stream: 'ALERTS', start: () => (cursor ? { after: cursor } : { sinceMs }) },
    ({ subject, data, cursor: at, traceparent }) => {
      cursor = at;
      if (!subject.startsWith('alert.public.')) return;
      alerts.take(data, 'bus', traceparent).catch((error: unknown) => {
        // A refused one was said already; a disk that is full must not end the reading.
        if (!(error instanceof SignatureError))
          log.error(errorFields(error), 'the page’s alerts cannot be written');
      });
    },
    { log, signal },
  );
}
