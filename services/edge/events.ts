import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { DeviceReceipt } from '../../shared/receipt/device-receipt.ts';
import type {
  Arrival,
  ArrivalResult,
  CanaryPlace,
  EdgeMetrics,
  RegistrationResult,
} from './metrics.ts';

/** What happens at the edge, each with its counter and its log line. No token, endpoint or device id goes into a line. */
export interface EdgeEvents {
  readonly registration: (result: RegistrationResult, count?: number) => void;
  readonly registryWrite: (site: string, acknowledged: boolean) => void;
  readonly outboxSize: (records: number) => void;
  readonly outboxDropped: (records: number) => void;
  readonly deviceReceipt: (receipt: DeviceReceipt) => void;
  readonly alertArrived: (
    arrival: Arrival,
    result: ArrivalResult,
    alertId?: string,
    error?: unknown,
  ) => void;
  readonly canaryToPublic: (where: CanaryPlace, alertId: string) => void;
}

/** A crowd must not become a crowd of log lines. */
const QUIET: readonly RegistrationResult[] = ['created', 'updated', 'removed', 'limited', 'shed'];

export function createEdgeEvents(metrics: EdgeMetrics, log: Logger): EdgeEvents {
  return {
    registration: (result, count = 1) => {
      metrics.registrations.inc({ result }, count);
      log[QUIET.includes(result) ? 'debug' : 'info']({ result, count }, 'registration');
    },
    registryWrite: (site, acknowledged) => {
      metrics.registryWrites.inc({ site, result: acknowledged ? 'acknowledged' : 'failed' });
    },
    outboxSize: (records) => metrics.outbox.set(records),
    outboxDropped: (records) =>
      log.warn(
        { records },
        'outbox is full: the oldest records will not be repeated to a site that lagged',
      ),
    deviceReceipt: ({ transport, action }) => metrics.deviceReceipts.inc({ transport, action }),
    alertArrived: (arrival, result, alertId, error) => {
      metrics.alerts.inc({ arrival, result });
      const fields = {
        arrival,
        result,
        alertId,
        ...(error === undefined ? {} : errorFields(error)),
      };
      log[result === 'refused' || result === 'conflict' ? 'warn' : 'info'](fields, 'alert arrived');
    },
    canaryToPublic: (where, alertId) => {
      metrics.canaryToPublic.inc({ where });
      log.fatal({ where, alertId }, 'a canary’s alert reached the public');
    },
  };
}
