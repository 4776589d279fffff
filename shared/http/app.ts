import express, { type ErrorRequestHandler, type Express } from 'express';
import type { Registry } from 'prom-client';
import type { Health } from '../lifecycle/health.ts';
import { errorFields } from '../log/error-fields.ts';
import type { Logger } from '../log/logger.ts';
import { ProblemError } from './problem.ts';

export interface AppDeps {
  readonly log: Logger;
  readonly health: Health;
  readonly metrics: Registry;
}

/** An Express app with health and metrics, and nothing that tells a stranger what it runs on. */
export function createApp({ health, metrics }: AppDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.get('/live', (_request, response) => {
    response.json({ live: true });
  });
  app.get('/startup', (_request, response) => {
    response.status(health.isStarted ? 200 : 503).json({ started: health.isStarted });
  });
  app.get('/ready', (_request, response) => {
    const unready = health.unready();
    response
      .status(unready.length === 0 ? 200 : 503)
      .json({ ready: unready.length === 0, unready });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.metrics());
  });
  return app;
}

/** JSON bodies up to `limitBytes`, whatever the client calls them; parsed before any schema sees them. */
export function jsonBody(limitBytes: number): express.RequestHandler {
  return express.json({
    limit: limitBytes,
    type: ['application/json', 'application/*+json'],
    strict: true,
  });
}

/** Text bodies up to `limitBytes` (a compact JWS). */
export function textBody(limitBytes: number): express.RequestHandler {
  return express.text({ limit: limitBytes, type: ['application/jose', 'text/plain'] });
}

/** To be added after the last route: 404 and every error as problem+json. A 500 never shows its cause. */
export function finishApp(app: Express, log: Logger): void {
  app.use((request, _response) => {
    throw new ProblemError(404, 'not-found', `There is nothing at ${request.path.slice(0, 100)}`);
  });
  const onError: ErrorRequestHandler = (error, request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    const problem = toProblem(error);
    if (problem.problem.status >= 500 && !(error instanceof ProblemError))
      log.error(
        { ...errorFields(error), method: request.method, path: request.path },
        'request failed',
      );
    if (problem.retryAfterSeconds !== undefined)
      response.set('Retry-After', String(problem.retryAfterSeconds));
    response.status(problem.problem.status).type('application/problem+json').json(problem.problem);
  };
  app.use(onError);
}

/** Body-parser errors carry `type` and `status`; anything unknown is a plain 500. */
function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (type === 'entity.too.large')
    return new ProblemError(413, 'too-large', 'The body is too large', {
      action: 'Send a shorter message',
    });
  if (type === 'entity.parse.failed')
    return new ProblemError(400, 'invalid-json', 'The body is not JSON', {
      action: 'Send a JSON object with Content-Type: application/json, in UTF-8',
    });
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new ProblemError(status, 'bad-request', 'The request cannot be read');
  return new ProblemError(500, 'internal', 'Something went wrong on our side', {
    action: 'Try again; if it stays, tell the operators',
  });
}
