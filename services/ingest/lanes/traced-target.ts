import type { AlertTraces } from '../../../shared/trace/alert-traces.ts';
import { formatTraceparent, traceOfJws } from '../../../shared/trace/trace-context.ts';
import type { LaneTarget } from './lane-target.ts';

/**
 * A target whose every attempt is a span of its own, named in the header of what is sent: who gets it knows which of
 * several sends it was. After a restart the envelope itself says which trace it belongs to.
 */
export function tracedTarget(target: LaneTarget, traces: AlertTraces): LaneTarget {
  const { kind, site, name } = target;
  return {
    ...target,
    send: async (message, timeoutMs, signal) => {
      const span = traces.child(message.id, `lane ${kind}`);
      const context = span.context ?? traceOfJws(message.jws);
      const traceparent = context && formatTraceparent(context);
      const result = await target.send({ ...message, traceparent }, timeoutMs, signal);
      span.end({ target: kind, site, node: name }, result.kind === 'acknowledged');
      return result;
    },
  };
}
