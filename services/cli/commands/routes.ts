import { PROOF_LIFE_SECONDS } from '../../../shared/receipt/proof.ts';
import { callIngest, type IngestDeps } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { RoutesAnswer } from '../ingest-answers.ts';
import type { Terminal } from '../terminal.ts';

/** `tocsin routes`: what the canaries proved, and how long ago. Rejects with CliError when a path is not proved. */
export async function showRoutes(
  deps: IngestDeps & { readonly terminal: Terminal },
): Promise<void> {
  const { texts, terminal } = deps;
  const { answer } = await callIngest({ path: '/v1/routes', schema: RoutesAnswer }, deps);
  terminal.out(`${texts.routesTitle}\n`);
  const routes = answer.routes.map(({ path, ageSeconds }) => ({
    name: [path.ingest, path.lane, path.dispatcher, path.transport].join(' → '),
    ageSeconds: ageSeconds ?? undefined,
  }));
  for (const { name, ageSeconds } of routes) terminal.out(`${texts.route(name, ageSeconds)}\n`);
  const isProved = (age: number | undefined) => age !== undefined && age <= PROOF_LIFE_SECONDS;
  if (routes.length === 0 || !routes.every(({ ageSeconds }) => isProved(ageSeconds)))
    throw new CliError(EXIT.refused, [texts.routesBad]);
}
