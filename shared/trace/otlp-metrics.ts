import { Counter, type Registry } from 'prom-client';

const SPAN_RESULTS = ['sent', 'failed', 'dropped'] as const;

/** What becomes of spans, where they are exported. */
export function createOtlpMetrics(registry: Registry): {
  readonly count: (result: (typeof SPAN_RESULTS)[number], spans: number) => void;
} {
  const counter = new Counter({
    name: 'trace_spans_total',
    help: 'Spans for the OpenTelemetry collector: sent, failed on the way, or dropped because too many waited',
    labelNames: ['result'] as const,
    registers: [registry],
  });
  for (const result of SPAN_RESULTS) counter.inc({ result }, 0);
  return { count: (result, spans) => counter.inc({ result }, spans) };
}
