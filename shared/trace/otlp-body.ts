import type { Span } from './alert-traces.ts';

/** Who speaks, as OpenTelemetry's resource: service `tocsin-<kind>`, instance = node. */
export interface SpanSource {
  readonly service: string;
  readonly node: string;
  readonly site: string;
}

/** Numbers of OTLP's `SpanKind` and `StatusCode` (opentelemetry-proto trace.proto). */
const INTERNAL = 1;
const STATUS = { ok: 1, error: 2 } as const;

/**
 * Spans as the body of an OTLP/HTTP request in JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request): ids as
 * hex, instants as nanoseconds in text, since JSON's numbers would round them.
 */
export function otlpBody(spans: readonly Span[], source: SpanSource): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: attributesOf({
            'service.name': `tocsin-${source.service}`,
            'service.instance.id': source.node,
            'tocsin.site': source.site,
          }),
        },
        scopeSpans: [{ scope: { name: 'tocsin' }, spans: spans.map(otlpSpan) }],
      },
    ],
  });
}

function otlpSpan(span: Span) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: INTERNAL,
    startTimeUnixNano: nanos(span.startMs),
    endTimeUnixNano: nanos(span.endMs),
    attributes: attributesOf({ alert: span.alertId, ...span.attributes }, 'tocsin.'),
    status: { code: span.ok ? STATUS.ok : STATUS.error },
  };
}

function nanos(ms: number): string {
  return `${Math.round(ms)}000000`;
}

function attributesOf(values: Readonly<Record<string, string | number | undefined>>, prefix = '') {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined
      ? []
      : {
          key: `${prefix}${key}`,
          value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
        },
  );
}
