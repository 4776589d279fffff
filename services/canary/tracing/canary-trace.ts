import type { ProbeWitness } from '../../../shared/receipt/proof.ts';
import { type TraceAnswer, traceEvent } from '../../../shared/trace/trace-answer.ts';
import type { ClockSkew } from '../watch-clocks.ts';

interface Facts {
  /** As the device messages name it; undefined while no probe has received the alert. */
  readonly traceId: string | undefined;
  readonly witnesses: readonly ProbeWitness[];
  readonly clocks: readonly ClockSkew[];
  /** Age clock, as the clocks' `measuredAtMs`. */
  readonly nowMs: number;
}

/**
 * A canary's answer about one alert. It answers for every id: that no probe has received an alert is news, and the clocks
 * are needed to put the other nodes' answers in order. Pure.
 */
export function canaryTrace(
  alertId: string,
  { node, site }: { readonly node: string; readonly site: string },
  { traceId, witnesses, clocks, nowMs }: Facts,
): TraceAnswer {
  return {
    v: 1,
    node,
    site,
    kind: 'canary',
    alertId,
    ...(traceId === undefined ? {} : { traceId }),
    clockSkew: clocks.map(({ kind, name, skewMs, measuredAtMs }) => ({
      kind,
      node: name,
      skewSeconds: skewMs / 1000,
      ageSeconds: Math.max(0, Math.round((nowMs - measuredAtMs) / 1000)),
    })),
    events: witnesses.map(({ probe, transport, via, receivedAt }) =>
      traceEvent(Date.parse(receivedAt), 'witnessed', { probe, transport, node: via }),
    ),
  };
}
