import type { Registry } from 'prom-client';
import type { Logger } from '../log/logger.ts';
import { AlertTraces } from './alert-traces.ts';
import type { SpanSource } from './otlp-body.ts';
import { startOtlpExport } from './otlp-export.ts';

/** A service's memory of alerts, and, where a collector is configured, the export of its spans. */
export function startTracing(
  source: SpanSource & { readonly otlpEndpoint: string | undefined },
  deps: { readonly log: Logger; readonly registry: Registry },
): { readonly traces: AlertTraces; readonly close: () => Promise<void> } {
  if (source.otlpEndpoint === undefined)
    return { traces: new AlertTraces(), close: () => Promise.resolve() };
  const exporting = startOtlpExport(source.otlpEndpoint, source, deps);
  return { traces: new AlertTraces({ onSpan: exporting.offer }), close: exporting.close };
}
