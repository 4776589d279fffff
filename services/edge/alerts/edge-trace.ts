import type { AlertTraces } from '../../../shared/trace/alert-traces.ts';
import { type TraceAnswer, traceEvent } from '../../../shared/trace/trace-answer.ts';
import { originOfEnvelope } from '../../../shared/trace/trace-context.ts';
import type { RecentAlerts } from './recent-alerts.ts';

interface Deps {
  readonly node: string;
  readonly site: string;
  readonly alerts: Pick<RecentAlerts, 'envelopes' | 'onPageAtMs'>;
  readonly traces: AlertTraces;
}

/** What this edge did with an alert that is on its page; undefined for any other. */
export function edgeTrace(alertId: string, deps: Deps): TraceAnswer | undefined {
  const envelope = deps.alerts.envelopes().find(({ id }) => id === alertId);
  if (!envelope) return undefined;
  const noted = deps.traces.events(alertId);
  // A file from before, or another process's work: when it came on the page is on disk, nothing else is.
  const sinceMs = deps.alerts.onPageAtMs(alertId);
  const isNoted = noted.some(({ name }) => name === 'on-page');
  return {
    v: 1,
    node: deps.node,
    site: deps.site,
    kind: 'edge',
    alertId,
    traceId: originOfEnvelope(envelope, undefined).traceId,
    issuedAt: envelope.issuedAt,
    events: [
      ...(isNoted || sinceMs === undefined ? [] : [traceEvent(sinceMs, 'on-page')]),
      ...noted,
    ],
  };
}
