import type { Registry } from 'prom-client';
import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import { sleep } from '../time/sleep.ts';
import type { Span } from './alert-traces.ts';
import { otlpBody, type SpanSource } from './otlp-body.ts';
import { createOtlpMetrics } from './otlp-metrics.ts';

/** Spans that wait; an alert makes about a dozen in a service. What comes while so many wait is dropped. */
const MAX_QUEUED = 2_048;
const BATCH = 256;
const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;
/** A service that stops gives the collector this much for what is under way and the last ones. */
const LAST_TIMEOUT_MS = 1_000;

interface Deps {
  readonly log: Logger;
  readonly registry: Registry;
  readonly maxQueued?: number;
}

/**
 * Sends spans to an OpenTelemetry collector (`<endpoint>/v1/traces`, OTLP/HTTP as JSON) in the background. Nothing waits
 * for it: `offer` only puts into a queue, and what a full queue or a dead collector costs is spans, which are counted.
 */
export function startOtlpExport(
  endpoint: string,
  source: SpanSource,
  { log, registry, maxQueued = MAX_QUEUED }: Deps,
): { readonly offer: (span: Span) => void; readonly close: () => Promise<void> } {
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const metrics = createOtlpMetrics(registry);
  const queue: Span[] = [];
  const stop = new AbortController();
  const cut = new AbortController();
  let isReachable = true;
  const send = async (): Promise<boolean> => {
    const batch = queue.splice(0, BATCH);
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'error',
        headers: { 'content-type': 'application/json' },
        body: otlpBody(batch, source),
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), cut.signal]),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the collector answered ${response.status}`);
      metrics.count('sent', batch.length);
      isReachable = true;
      return true;
    } catch (error) {
      metrics.count('failed', batch.length);
      if (isReachable) log.warn(errorFields(error), 'spans cannot be exported: they are dropped');
      isReachable = false;
      return false;
    }
  };
  const running = (async () => {
    while (await sleep(EVERY_MS, stop.signal))
      while (queue.length > 0 && !stop.signal.aborted && (await send()));
    while (queue.length > 0 && isReachable && !cut.signal.aborted && (await send()));
  })();
  return {
    offer: (span) => {
      if (queue.length >= maxQueued) metrics.count('dropped', 1);
      else queue.push(span);
    },
    close: async () => {
      stop.abort();
      const timer = setTimeout(() => cut.abort(), LAST_TIMEOUT_MS);
      await running;
      clearTimeout(timer);
    },
  };
}
