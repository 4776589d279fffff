import { createHash } from 'node:crypto';
import type { Express } from 'express';
import { AlertId } from '../../shared/alert/alert-id.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { invalidRequest } from '../../shared/http/problem.ts';
import type { WitnessAnswer } from '../../shared/receipt/proof.ts';
import { renderPage } from './page/page.ts';
import type { PageModel } from './page/page-model.ts';
import { SCRIPT } from './page/script.ts';
import { STYLE } from './page/style.ts';
import type { Language } from './page/texts.ts';
import type { PathsReport } from './paths-report.ts';

interface RoutesDeps {
  readonly internalToken: string;
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
    const asked = request.query['lang'];
    const accepted = request.acceptsLanguages('fr', 'en') === 'en' ? 'en' : 'fr';
    const language = asked === 'fr' || asked === 'en' ? asked : accepted;
    response
      .set({
        'Content-Security-Policy': PAGE_POLICY,
        'Cache-Control': 'no-store',
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        Vary: 'Accept-Language',
      })
      .type('html')
      .send(renderPage(deps.pageModel(language)));
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
