import type { Express } from 'express';
import { z } from 'zod';
import { AlertId } from '../../shared/alert/alert-id.ts';
import { AreaCode, reachOf } from '../../shared/alert/area.ts';
import { MAX_ENVELOPE_BYTES, TRANSPORTS } from '../../shared/envelope/envelope.ts';
import { SignatureError } from '../../shared/envelope/signature.ts';
import { type AppDeps, createApp, finishApp, jsonBody, textBody } from '../../shared/http/app.ts';
import { requireToken } from '../../shared/http/bearer.ts';
import { invalidRequest, ProblemError } from '../../shared/http/problem.ts';
import { addTraceRoute } from '../../shared/http/trace-route.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { CredentialReport } from '../../shared/receipt/credential.ts';
import type { AudienceAnswer, IntakeAnswer } from '../../shared/receipt/progress.ts';
import { ProofReport } from '../../shared/receipt/proof.ts';
import type { TraceAnswer } from '../../shared/trace/trace-answer.ts';
import type { Dispatch } from './dispatch.ts';
import type { Journal } from './journal.ts';
import { JOURNAL_START, JournalCursorText, type JournalPage } from './peers.ts';
import type { Registry } from './registry.ts';
import { type RegistryRouteDeps, registryRoutes } from './registry-routes.ts';
import { ConflictError, type TakeAlert } from './take-alert.ts';

const MAX_RECEIPTS_BYTES = 4 * 1024 * 1024;
const MAX_AREAS = 1_300;

export interface HttpDeps extends AppDeps, RegistryRouteDeps {
  readonly node: string;
  readonly site: string;
  readonly token: string;
  readonly takeAlert: TakeAlert;
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
  readonly takeProofs: (report: ProofReport) => void;
  readonly dispatch: Pick<Dispatch, 'progress'>;
  readonly traceOf: (alertId: string) => TraceAnswer | undefined;
  readonly journal: Pick<Journal, 'after' | 'find' | 'id'>;
  readonly registry: Pick<Registry, 'count'>;
  readonly credentials: () => CredentialReport;
}

/** The dispatcher's own address: for ingest, peers and canaries, all with the internal token. */
export function createDispatcherApp(deps: HttpDeps): Express {
  const app = createApp(deps);
  app.use('/v1', requireToken(deps.token));
  app.post('/v1/intake', textBody(MAX_ENVELOPE_BYTES), async (request, response) => {
    response.json(await intake(request.body, request.get('traceparent'), deps));
  });
  app.post('/v1/receipts', jsonBody(MAX_RECEIPTS_BYTES), (request, response) => {
    for (const receipt of parsed(z.array(CompletionReceipt).max(500), request.body))
      deps.takeReceipt(receipt);
    response.status(204).end();
  });
  app.post('/v1/proofs', jsonBody(256 * 1024), (request, response) => {
    deps.takeProofs(parsed(ProofReport, request.body));
    response.status(204).end();
  });
  app.get('/v1/journal', (request, response) => {
    response.json(journalPage(parsed(JournalQuery, request.query).since, deps.journal));
  });
  app.get('/v1/alerts/:id/progress', (request, response) => {
    const progress = deps.dispatch.progress(parsed(AlertId, request.params.id));
    if (!progress) throw unknownAlert();
    response.json(progress);
  });
  app.get('/v1/alerts/:id/envelope', (request, response) => {
    const entry = deps.journal.find(parsed(AlertId, request.params.id));
    if (!entry) throw unknownAlert();
    response.type('application/jose').send(entry.jws);
  });
  addTraceRoute(app, requireToken(deps.token), (id) => deps.traceOf(id));
  app.get('/v1/audience', (request, response) => {
    response.json(audience(parsed(AudienceQuery, request.query).area, deps.registry));
  });
  app.get('/v1/credentials', (_request, response) => {
    response.set('Cache-Control', 'no-store').json(deps.credentials());
  });
  app.use('/v1', registryRoutes(deps));
  finishApp(app, deps.log);
  return app;
}

const JournalQuery = z.object({ since: JournalCursorText.default(JOURNAL_START) });
const AudienceQuery = z.object({
  area: z.union([AreaCode.transform((code) => [code]), z.array(AreaCode).max(MAX_AREAS)]),
});

function unknownAlert(): ProblemError {
  return new ProblemError(404, 'unknown-alert', 'This dispatcher does not have the alert');
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw invalidRequest(result.error);
  return result.data;
}

/** Answers once the alert is in the journal, synced. */
async function intake(
  body: unknown,
  hop: string | undefined,
  deps: HttpDeps,
): Promise<IntakeAnswer> {
  if (typeof body !== 'string')
    throw new ProblemError(415, 'not-jose', 'A signed envelope comes as application/jose');
  try {
    const result = await deps.takeAlert(body, 'direct', hop);
    return { v: 1, result, site: deps.site, node: deps.node };
  } catch (error) {
    if (error instanceof SignatureError)
      throw new ProblemError(422, 'envelope-refused', 'The envelope is refused', {
        detail: error.message,
      });
    if (error instanceof ConflictError) throw new ProblemError(409, 'conflict', error.message);
    throw error;
  }
}

/** A cursor of another journal (this node lost its disk since) begins at the start. */
function journalPage(since: string, journal: Pick<Journal, 'after' | 'id'>): JournalPage {
  const [id, alerts, receipts] = since.split('.');
  const isOurs = id === journal.id;
  const page = journal.after({
    alerts: isOurs ? Number(alerts) : 0,
    receipts: isOurs ? Number(receipts) : 0,
  });
  return {
    cursor: `${journal.id}.${page.cursor.alerts}.${page.cursor.receipts}`,
    entries: page.entries.map(({ id, jws }) => ({ id, jws })),
    receipts: page.receipts,
  };
}

function audience(areaCodes: readonly string[], registry: Pick<Registry, 'count'>): AudienceAnswer {
  const filter = { kind: 'public' as const, reach: reachOf(areaCodes) };
  const counts = TRANSPORTS.map((kind) => [kind, registry.count(filter, kind, false)] as const);
  return { v: 1, counts: Object.fromEntries(counts) };
}
