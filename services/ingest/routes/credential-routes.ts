import type { Express } from 'express';
import { requireToken } from '../../../shared/http/bearer.ts';
import {
  byEnd,
  type CredentialReport,
  MAX_CREDENTIALS,
} from '../../../shared/receipt/credential.ts';
import type { KeyStates } from '../credentials/key-states.ts';

export interface CredentialRoutesDeps {
  readonly node: string;
  readonly internalToken: string;
  readonly keyStates: Pick<KeyStates, 'states'>;
}

/** For canaries, whose page shows what ends when. */
export function addCredentialRoutes(app: Express, deps: CredentialRoutesDeps): void {
  app.get('/v1/credentials', requireToken(deps.internalToken), (_request, response) => {
    const credentials = byEnd(deps.keyStates.states()).slice(0, MAX_CREDENTIALS);
    const report: CredentialReport = { v: 1, node: deps.node, credentials };
    response.set('Cache-Control', 'no-store').json(report);
  });
}
