import type { Express, RequestHandler } from 'express';
import { MAX_ENVELOPE_BYTES } from '../../../shared/envelope/envelope.ts';
import { SignatureError } from '../../../shared/envelope/signature.ts';
import { textBody } from '../../../shared/http/app.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { IntakeAnswer } from '../../../shared/receipt/progress.ts';
import type { RecentAlerts } from './recent-alerts.ts';

interface Deps {
  readonly alerts: RecentAlerts;
  readonly internal: RequestHandler;
  readonly node: string;
  readonly site: string;
}

/** The direct lane's end at the edge: the alert is on the page and on disk when this answers. */
export function addIntakeRoute(app: Express, { alerts, internal, node, site }: Deps): void {
  app.post('/v1/intake', internal, textBody(MAX_ENVELOPE_BYTES), async (request, response) => {
    const jws: unknown = request.body;
    if (typeof jws !== 'string' || jws === '')
      throw new ProblemError(415, 'not-an-envelope', 'The body is not a signed envelope', {
        action: 'Send a compact JWS with Content-Type: application/jose',
      });
    const result = await takeOrRefuse(alerts, jws, request.get('traceparent'));
    if (result === 'conflict')
      throw new ProblemError(409, 'conflict', 'Another alert with this id is on the page', {
        action: 'Send the new content as an Update with an identifier of its own',
      });
    const answer: IntakeAnswer = { v: 1, result, site, node };
    response.json(answer);
  });
}

async function takeOrRefuse(
  alerts: RecentAlerts,
  jws: string,
  hop: string | undefined,
): ReturnType<RecentAlerts['take']> {
  try {
    return await alerts.take(jws, 'direct', hop);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw new ProblemError(422, 'envelope-refused', 'The envelope is refused', {
      detail: error.message,
      cause: error,
    });
  }
}
