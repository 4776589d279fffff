import type { Envelope } from '../../shared/envelope/envelope.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { DeviceReceipt } from '../../shared/receipt/device-receipt.ts';
import { AlertTraces } from '../../shared/trace/alert-traces.ts';
import { originOfEnvelope, parseTraceparent } from '../../shared/trace/trace-context.ts';
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
  /** `named`: the receipt's own `traceparent`, if it had one. */
  readonly deviceReceipt: (receipt: DeviceReceipt, named?: string) => void;
  /** `hop`: the `traceparent` of what brought it. */
  readonly alertBegun: (
    envelope: Pick<Envelope, 'id' | 'audience' | 'trace'>,
    hop?: string,
  ) => void;
  readonly alertOnPage: (alertId: string) => void;
  readonly pageRead: (alertId: string) => void;
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

export function createEdgeEvents(
  metrics: EdgeMetrics,
  log: Logger,
  traces = new AlertTraces(),
): EdgeEvents {
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
    deviceReceipt: ({ alertId, transport, action }, named) => {
      metrics.deviceReceipts.inc({ transport, action });
      const ours = traces.contextOf(alertId)?.traceId;
      const theirs = parseTraceparent(named)?.traceId;
      // A device whose message had no room for a trace names the alert's own id.
      const isNamed = theirs !== undefined && theirs !== alertId;
      const trace = theirs === ours ? 'same' : isNamed ? 'other' : 'none';
      traces.note(alertId, 'device-receipt', { transport, action, trace });
    },
    alertBegun: (envelope, hop) => {
      traces.begin(envelope.id, envelope.audience, originOfEnvelope(envelope, hop));
    },
    alertOnPage: (alertId) => {
      traces.note(alertId, 'on-page');
      traces.end(alertId);
    },
    pageRead: (alertId) => traces.note(alertId, 'page-read'),
    alertArrived: (arrival, result, alertId, error) => {
      metrics.alerts.inc({ arrival, result });
      if (alertId !== undefined && result !== 'refused')
        traces.note(alertId, 'arrived', { lane: arrival, result });
      const fields = {
        arrival,
        result,
        ...(alertId === undefined ? {} : traces.logFields(alertId)),
        ...(error === undefined ? {} : errorFields(error)),
      };
      log[result === 'refused' || result === 'conflict' ? 'warn' : 'info'](fields, 'alert arrived');
    },
    canaryToPublic: (where, alertId) => {
      metrics.canaryToPublic.inc({ where });
      log.fatal({ where, ...traces.logFields(alertId) }, 'a canary’s alert reached the public');
    },
  };
}
