import type { Express } from 'express';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { alertAreaCodes, withinTerritory } from '../../../shared/alert/area.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import { holdsToken } from '../../../shared/http/bearer.ts';
import type { TraceAnswer } from '../../../shared/trace/trace-answer.ts';
import type { Outbox } from '../lanes/outbox.ts';
import type { createAuthentication } from './authentication.ts';
import * as refusals from './refusals.ts';

export interface TraceRouteDeps {
  readonly authentication: ReturnType<typeof createAuthentication>;
  readonly internalToken: string;
  readonly outbox: Outbox;
  readonly verifyEnvelope: Verify;
  readonly traceOf: (alertId: string) => TraceAnswer | undefined;
}

/**
 * What this ingest did with an alert that it took: for the operators' `tocsin trace`, and for its author, who finds the
 * address in the 202.
 */
export function addIngestTraceRoute(app: Express, deps: TraceRouteDeps): void {
  const { requireKey, keyOf } = deps.authentication;
  app.get(
    '/v1/alerts/:id/trace',
    (request, response, next) => {
      if (holdsToken(request, deps.internalToken)) next();
      else requireKey(request, response, next);
    },
    async (request, response) => {
      const id = AlertId.safeParse(request.params['id']);
      const entry = id.success ? deps.outbox.find(id.data) : undefined;
      const trace = entry && deps.traceOf(entry.id);
      if (!entry || !trace) throw refusals.unknownTrace();
      const { alert, issuedAt } = await openEnvelope(entry.jws, deps.verifyEnvelope);
      const isOperator = holdsToken(request, deps.internalToken);
      if (!isOperator && !withinTerritory(alertAreaCodes(alert), keyOf(request).territory))
        throw refusals.outsideTerritory();
      response.set('Cache-Control', 'no-store').json({ ...trace, issuedAt });
    },
  );
}
