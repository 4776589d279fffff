import type { Express } from 'express';
import type { KeySet } from '../../../shared/envelope/key-set.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import type { WebAssets } from './bundle-web.ts';
import type { Pages } from './pages.ts';
import { sendStatic, staticAnswer } from './static-answer.ts';
import { pageLanguage } from './texts.ts';

interface Deps {
  readonly pages: Pages;
  readonly assets: WebAssets;
  readonly vapidPublicKey: string;
  readonly keySet: KeySet;
  readonly onRead: (alertId: string) => void;
}

/** What people and browsers read: the page, its files, each alert's page, the list as JSON, the keys. */
export function addPageRoutes(app: Express, deps: Deps): void {
  const { pages, assets, vapidPublicKey, keySet, onRead } = deps;
  // A browser on somebody's phone has no business with the canary's key (P6).
  const publicKeys = { keys: keySet.keys.filter((key) => key.audience === 'public') };
  const keys = staticAnswer(JSON.stringify({ vapidPublicKey, keySet: publicKeys }), {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-cache',
  });
  app.get('/', (request, response) => {
    const language = pageLanguage(request.query['lang'], request.headers['accept-language']);
    sendStatic(request, response, pages().home[language]);
  });
  for (const [path, asset] of assets)
    app.get(path, (request, response) => sendStatic(request, response, asset));
  app.get('/v1/keys', (request, response) => sendStatic(request, response, keys));
  app.get('/v1/alerts/recent', (request, response) =>
    sendStatic(request, response, pages().recent),
  );
  app.get('/alerts/:id', (request, response) => {
    const page = pages().alerts.get(request.params.id);
    if (!page)
      throw new ProblemError(404, 'not-found', 'This alert is not on the page (any more)', {
        action: 'Look at the list of alerts: /',
      });
    onRead(request.params.id);
    sendStatic(request, response, page);
  });
}
