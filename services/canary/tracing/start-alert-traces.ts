import type { Express } from 'express';
import type { Registry } from 'prom-client';
import { requireToken } from '../../../shared/http/bearer.ts';
import { addTraceRoute } from '../../../shared/http/trace-route.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { WitnessAnswer } from '../../../shared/receipt/proof.ts';
import type { AlertTraces } from '../../../shared/trace/alert-traces.ts';
import { startTracing } from '../../../shared/trace/start-tracing.ts';
import type { ClockSkew } from '../watch-clocks.ts';
import { canaryTrace } from './canary-trace.ts';

interface Options {
  readonly nodeName: string;
  readonly site: string;
  readonly otlpEndpoint?: string | undefined;
}

interface RouteDeps {
  readonly internalToken: string;
  readonly witnessesOf: (alertId: string) => WitnessAnswer;
  readonly clocks: () => readonly ClockSkew[];
  /** Age clock. */
  readonly now: () => number;
}

/** The canary's part of an alert's timeline: who received it, and how far everybody's clock is off. */
export function startAlertTraces(
  { nodeName, site, otlpEndpoint }: Options,
  deps: { readonly log: Logger; readonly registry: Registry },
): {
  readonly traces: AlertTraces;
  readonly addRoutes: (app: Express, routeDeps: RouteDeps) => void;
  readonly close: () => Promise<void>;
} {
  const source = { service: 'canary', node: nodeName, site };
  const { traces, close } = startTracing({ ...source, otlpEndpoint }, deps);
  return {
    traces,
    addRoutes: (app, { internalToken, witnessesOf, clocks, now }) =>
      addTraceRoute(app, requireToken(internalToken), (alertId) =>
        canaryTrace(alertId, source, {
          traceId: traces.contextOf(alertId)?.traceId,
          witnesses: witnessesOf(alertId).witnesses,
          clocks: clocks(),
          nowMs: now(),
        }),
      ),
    close,
  };
}
