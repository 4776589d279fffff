import { createHash } from 'node:crypto';
import type { Express, Request, Response } from 'express';
import { AlertId } from '../../shared/alert/alert-id.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { invalidRequest, ProblemError } from '../../shared/http/problem.ts';
import type { WitnessAnswer } from '../../shared/receipt/proof.ts';
import { renderPage } from './page/page.ts';
import type { PageModel } from './page/page-model.ts';
import { type Runbooks, renderRunbook, renderRunbooks } from './page/runbooks.ts';
import { SCRIPT } from './page/script.ts';
import { STYLE } from './page/style.ts';
import type { Language } from './page/texts.ts';
import type { PathsReport } from './paths-report.ts';

interface RoutesDeps {
  readonly internalToken: string;
  readonly runbooks: Runbooks;
  readonly pageModel: (language: Language) => PageModel;
  readonly pathsReport: () => PathsReport;
  readonly witnessesOf: (alertId: string) => WitnessAnswer;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

/** Nothing runs or is loaded but the page's own style and script, known by their hashes. */
const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${sha256(STYLE)}'`,
  `script-src 'sha256-${sha256(SCRIPT)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function addRoutes(app: Express, deps: RoutesDeps): void {
  app.get('/', (request, response) => {
    sendPage(response, renderPage(deps.pageModel(languageOf(request))));
  });
  app.get('/runbooks', (request, response) => {
    sendPage(response, renderRunbooks(deps.runbooks, languageOf(request)));
  });
  app.get('/runbooks/:name', (request, response) => {
    const text = deps.runbooks.get(request.params.name);
    if (text === undefined)
      throw new ProblemError(404, 'not-found', 'There is no runbook of this name', {
        action: 'All of them are listed at /runbooks',
      });
    sendPage(response, renderRunbook(text, languageOf(request)));
  });
  app.get('/v1/paths', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(deps.pathsReport());
  });
  app.get('/v1/alerts/:id/witnesses', requireToken(deps.internalToken), (request, response) => {
    const id = AlertId.safeParse(request.params['id']);
    if (!id.success) throw invalidRequest(id.error);
    response.json(deps.witnessesOf(id.data));
  });
}

function languageOf(request: Request): Language {
  const asked = request.query['lang'];
  if (asked === 'fr' || asked === 'en') return asked;
  return request.acceptsLanguages('fr', 'en') === 'en' ? 'en' : 'fr';
}

function sendPage(response: Response, page: string): void {
  response
    .set({
      'Content-Security-Policy': PAGE_POLICY,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      Vary: 'Accept-Language',
    })
    .type('html')
    .send(page);
}
