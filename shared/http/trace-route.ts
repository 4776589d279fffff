import type { Express, RequestHandler } from 'express';
import { AlertId } from '../alert/alert-id.ts';
import { MAX_TRACE_EVENTS, type TraceAnswer } from '../trace/trace-answer.ts';
import { invalidRequest, ProblemError } from './problem.ts';

/** `GET /v1/alerts/{id}/trace` of a service. `answer` gives undefined for an alert that it does not know. */
export function addTraceRoute(
  app: Express,
  allowed: RequestHandler,
  answer: (alertId: string) => TraceAnswer | undefined,
): void {
  app.get('/v1/alerts/:id/trace', allowed, (request, response) => {
    const id = AlertId.safeParse(request.params['id']);
    if (!id.success) throw invalidRequest(id.error);
    const trace = answer(id.data);
    if (!trace) throw new ProblemError(404, 'unknown-alert', 'This node does not know the alert');
    const events = trace.events.slice(0, MAX_TRACE_EVENTS);
    response.set('Cache-Control', 'no-store').json({ ...trace, events });
  });
}
