import type { Express, Request, Response } from 'express';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { alertAreaCodes, withinTerritory } from '../../../shared/alert/area.ts';
import { jsonBody } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { invalidRequest, ProblemError } from '../../../shared/http/problem.ts';
import { ProofReport } from '../../../shared/receipt/proof.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { AcceptedAnswer } from '../accept/accepted-answer.ts';
import type { IngestEvents } from '../events.ts';
import type { OutboxEntry } from '../lanes/outbox.ts';
import type { AlertProgress } from '../progress/alert-progress.ts';
import type { FoundAlert } from '../progress/find-alert.ts';
import {
  mergeProgress,
  type ProgressSources,
  witnessedAfterSeconds,
} from '../progress/merge-progress.ts';
import type { PathProofs } from '../progress/path-proofs.ts';
import type { createAuthentication } from './authentication.ts';
import * as refusals from './refusals.ts';

/** 500 proofs of about 130 bytes, and room. */
const MAX_PROOFS_BYTES = 128 * 1024;
/** Each look asks every node: this many at a time, so that impatient readers never hold up who sends. */
const MAX_LOOKS = 16;

export interface ProgressRoutesDeps {
  readonly authentication: ReturnType<typeof createAuthentication>;
  readonly internalToken: string;
  readonly findAlert: (id: string) => Promise<FoundAlert | undefined>;
  readonly followUpsOf: (found: FoundAlert) => Promise<{ cancel: OutboxEntry | undefined }>;
  readonly readProgress: (
    id: string,
  ) => Promise<Pick<ProgressSources, 'nodes' | 'witnesses' | 'receipts'>>;
  readonly pathProofs: PathProofs;
  readonly events: IngestEvents;
  readonly clock: Clock;
}

/** What an author watches: what became of an alert, and whether the paths are proved. */
export function addProgressRoutes(app: Express, deps: ProgressRoutesDeps): void {
  const { requireKey, keyOf } = deps.authentication;
  let looks = 0;
  app.get('/v1/alerts/:id', requireKey, async (request: Request, response: Response) => {
    const id = String(request.params['id']);
    if (looks >= MAX_LOOKS)
      throw new ProblemError(503, 'busy', 'Too many are looking at this moment', {
        action: 'Ask again in a second; what is being sent is not affected',
        retryAfterSeconds: 1,
      });
    looks += 1;
    try {
      const found = AlertId.safeParse(id).success ? await deps.findAlert(id) : undefined;
      if (!found) throw refusals.unknownAlert(id);
      if (!withinTerritory(alertAreaCodes(found.envelope.alert), keyOf(request).territory))
        throw refusals.outsideTerritory();
      response.set('Cache-Control', 'no-store').json(await progressOf(found, deps));
    } finally {
      looks -= 1;
    }
  });
  app.get('/v1/routes', requireKey, (_request, response) => {
    response.set('Cache-Control', 'no-store').json(deps.pathProofs.routes());
  });
  app.post(
    '/v1/proofs',
    requireToken(deps.internalToken),
    jsonBody(MAX_PROOFS_BYTES),
    (request, response) => {
      const report = ProofReport.safeParse(request.body);
      if (!report.success) throw invalidRequest(report.error);
      deps.pathProofs.record(report.data);
      deps.events.proofsReported(report.data);
      response.status(204).end();
    },
  );
}

async function progressOf(found: FoundAlert, deps: ProgressRoutesDeps): Promise<AlertProgress> {
  const { envelope, entry } = found;
  const [sources, { cancel }] = await Promise.all([
    deps.readProgress(envelope.id),
    deps.followUpsOf(found),
  ]);
  const told =
    entry?.answer === undefined ? undefined : AcceptedAnswer.parse(JSON.parse(entry.answer));
  const merged = mergeProgress({
    ...sources,
    refused: entry?.state === 'refused',
    cancelled: cancel !== undefined,
    expired: Date.parse(envelope.expiresAt) <= deps.clock(),
  });
  return {
    id: envelope.id,
    identifier: envelope.alert.identifier,
    state: merged.state,
    issuedAt: envelope.issuedAt,
    expiresAt: envelope.expiresAt,
    alert: envelope.alert,
    durability: told?.durability ?? null,
    storedBy: told?.storedBy ?? [],
    nodes: merged.nodes,
    transports: merged.transports,
    probes: {
      ...merged.probes,
      afterSeconds: witnessedAfterSeconds(envelope.issuedAt, merged.probes),
    },
    deviceReceipts: merged.deviceReceipts,
  };
}
