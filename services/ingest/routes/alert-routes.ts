import type { Express, Request, Response } from 'express';
import { Alert } from '../../../shared/alert/alert.ts';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { contentHash } from '../../../shared/envelope/hashes.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import { invalidRequest } from '../../../shared/http/problem.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { parseTraceparent, type TraceContext } from '../../../shared/trace/trace-context.ts';
import type { Acceptance, AlertAcceptance } from '../accept/accept-alert.ts';
import {
  buildCancel,
  buildUpdate,
  CancelRequest,
  type Chain,
  UpdateRequest,
  unknownLanguages,
} from '../accept/follow-up.ts';
import { readAlert } from '../accept/read-alert.ts';
import type { IngestEvents } from '../events.ts';
import type { ApiKey } from '../keys/api-keys.ts';
import { authorizeAlert } from '../keys/authorize-alert.ts';
import type { IdempotencyUse, Outbox, OutboxEntry } from '../lanes/outbox.ts';
import type { FoundAlert } from '../progress/find-alert.ts';
import type { createAuthentication } from './authentication.ts';
import { idempotencyOf, onlyJson } from './json-request.ts';
import * as refusals from './refusals.ts';

const MAX_BODY_BYTES = 64 * 1024;

export interface AlertRoutesDeps {
  readonly node: string;
  readonly authentication: ReturnType<typeof createAuthentication>;
  readonly acceptance: AlertAcceptance;
  readonly outbox: Outbox;
  readonly findAlert: (id: string) => Promise<FoundAlert | undefined>;
  readonly followUpsOf: (found: FoundAlert) => Promise<{
    chain: Chain;
    cancel: OutboxEntry | undefined;
    refusedCancel: OutboxEntry | undefined;
  }>;
  readonly verifyEnvelope: Verify;
  /** URLs of the other sites' ingests, for who has to try elsewhere. */
  readonly otherIngests: readonly string[];
  readonly events: IngestEvents;
  readonly clock: Clock;
}

/** Makes the message that a request asks for: as it came, or built from what is known. */
type MakeMessage = (key: ApiKey) => Promise<unknown>;

/** The three ways to send. All end in one `submit`. */
export function addAlertRoutes(app: Express, deps: AlertRoutesDeps): void {
  const { requireKey } = deps.authentication;
  const body = onlyJson(MAX_BODY_BYTES);
  const submit = createSubmit(deps);
  app.post('/v1/alerts', requireKey, body, (request: Request, response: Response) =>
    submit(request, response, async () => request.body),
  );
  app.post('/v1/alerts/:id/cancel', requireKey, body, (request: Request, response: Response) =>
    submit(request, response, (key) => cancelMessage(request, key, deps)),
  );
  app.post('/v1/alerts/:id/update', requireKey, body, (request: Request, response: Response) =>
    submit(request, response, (key) => updateMessage(request, key, deps)),
  );
}

function createSubmit(deps: AlertRoutesDeps) {
  const inFlight = new Map<string, { requestHash: string; done: Promise<Acceptance> }>();
  const run = async (
    key: ApiKey,
    idempotency: IdempotencyUse | undefined,
    make: MakeMessage,
    parent: TraceContext | undefined,
  ): Promise<Acceptance> => {
    const earlier = idempotency && (await messageOfEarlierRequest(idempotency, deps));
    const message = earlier ?? (await make(key));
    return readAndAccept(message, key, { idempotency, parent }, deps);
  };
  return async (request: Request, response: Response, make: MakeMessage): Promise<void> => {
    const key = deps.authentication.keyOf(request);
    const idempotency = idempotencyOf(request, key.id);
    const parent = parseTraceparent(request.get('traceparent'));
    if (!idempotency) return answer(await run(key, undefined, make, parent), response, deps);
    const slot = `${key.id} ${idempotency.key}`;
    const running = inFlight.get(slot);
    if (running) {
      if (running.requestHash !== idempotency.requestHash) throw refuseIdempotency(key, deps);
      const result = await running.done;
      return answer(
        result.kind === 'accepted' ? { ...result, replayed: true } : result,
        response,
        deps,
      );
    }
    const done = run(key, idempotency, make, parent);
    inFlight.set(slot, { requestHash: idempotency.requestHash, done });
    try {
      answer(await done, response, deps);
    } finally {
      inFlight.delete(slot);
    }
  };
}

/** The message that an earlier request under this Idempotency-Key made: it is repeated, not made anew. */
async function messageOfEarlierRequest(
  use: IdempotencyUse,
  deps: AlertRoutesDeps,
): Promise<Alert | undefined> {
  const known = deps.outbox.idempotentRequest(use.apiKeyId, use.key);
  if (!known) return undefined;
  if (known.requestHash !== use.requestHash) {
    deps.events.refused('conflict', { apiKeyId: use.apiKeyId });
    throw refusals.idempotencyConflict();
  }
  const entry = deps.outbox.find(known.alertId);
  return entry && (await openEnvelope(entry.jws, deps.verifyEnvelope)).alert;
}

function refuseIdempotency(key: ApiKey, deps: AlertRoutesDeps): Error {
  deps.events.refused('conflict', { apiKeyId: key.id });
  return refusals.idempotencyConflict();
}

async function readAndAccept(
  message: unknown,
  key: ApiKey,
  use: { idempotency: IdempotencyUse | undefined; parent: TraceContext | undefined },
  deps: AlertRoutesDeps,
): Promise<Acceptance> {
  const recalled = await recall(message, key, deps);
  if (recalled) return recalled;
  const read = readAlert(message, key, { node: deps.node, nowMs: deps.clock() });
  if (!read.ok) {
    const { authority, problems } = read;
    deps.events.refused(authority ? 'not-authorised' : 'invalid', { apiKeyId: key.id, problems });
    throw refusals.notAcceptable(authority, problems);
  }
  const result = await deps.acceptance.accept({
    alert: read.alert,
    round: read.round,
    apiKeyId: key.id,
    ...use,
  });
  return orRefusal(result, read.alert, key, deps);
}

/** What was answered before is answered again, even when the message would be too old to be taken now. */
async function recall(
  message: unknown,
  key: ApiKey,
  deps: AlertRoutesDeps,
): Promise<Acceptance | undefined> {
  const parsed = Alert.safeParse(message);
  if (!parsed.success || authorizeAlert(message, key).length > 0) return undefined;
  return deps.acceptance.recall(parsed.data);
}

function orRefusal(
  result: Acceptance,
  alert: Alert,
  key: ApiKey,
  deps: AlertRoutesDeps,
): Acceptance {
  const facts = { apiKeyId: key.id, status: alert.status };
  switch (result.kind) {
    case 'accepted':
      return result;
    case 'conflict':
      deps.events.refused('conflict', facts);
      throw refusals.identityConflict(result.identifier, result.where);
    case 'too-long':
      deps.events.refused('invalid', { ...facts, problems: result.problems });
      throw refusals.notAcceptable(false, result.problems);
    case 'busy':
      deps.events.refused('busy', facts);
      throw refusals.busy();
    case 'not-written':
      throw refusals.notWritten(deps.otherIngests);
    case 'not-stored':
      throw refusals.notStored(alert, deps.otherIngests);
  }
}

function answer(result: Acceptance, response: Response, deps: AlertRoutesDeps): void {
  if (result.kind !== 'accepted') throw new Error(`${result.kind} was not refused`);
  if (result.replayed) {
    deps.events.replayed(result.answer);
    response.set('Idempotent-Replay', 'true');
  }
  if (result.traceparent !== undefined) response.set('traceparent', result.traceparent);
  response.status(202).location(result.answer.links.self).json(result.answer);
}

async function cancelMessage(request: Request, key: ApiKey, deps: AlertRoutesDeps): Promise<Alert> {
  const asked = CancelRequest.safeParse(request.body ?? {});
  if (!asked.success) throw invalidRequest(asked.error);
  const { found, chain, cancel, refusedCancel } = await standingAlert(request, key, deps);
  if (cancel)
    throw refusals.alreadyOver('cancelled', `By ${cancel.identifier} (/v1/alerts/${cancel.id})`);
  const strange = unknownLanguages(chain, asked.data);
  if (strange.length > 0)
    throw refusals.notAcceptable(
      false,
      strange.map((language) => ({
        field: `reason.${language}`,
        message: 'is not a language of the alert',
      })),
    );
  const latest = Math.max(
    ...chain.flatMap(({ info }) => info.map(({ expires }) => Date.parse(expires))),
  );
  if (latest <= deps.clock())
    throw refusals.alreadyOver(
      'expired',
      `${found.envelope.alert.identifier} expired at ${new Date(latest).toISOString()}`,
    );
  const repeated = refusedCancel && (await repeatOf(refusedCancel, chain, asked.data, deps));
  return repeated ?? buildCancel(chain, asked.data, deps.clock());
}

/** A Cancel that was refused (503) and asked for again in the same words is the same message, with the same id. */
async function repeatOf(
  refused: OutboxEntry,
  chain: Chain,
  asked: CancelRequest,
  deps: AlertRoutesDeps,
): Promise<Alert | undefined> {
  if (
    asked.identifier !== undefined ||
    asked.sent !== undefined ||
    refused.expiresAtMs <= deps.clock()
  )
    return undefined;
  const { alert } = await openEnvelope(refused.jws, deps.verifyEnvelope);
  const again = await buildCancel(
    chain,
    { ...asked, identifier: alert.identifier, sent: alert.sent },
    deps.clock(),
  );
  return (await contentHash(again)) === refused.contentHash ? again : undefined;
}

async function updateMessage(
  request: Request,
  key: ApiKey,
  deps: AlertRoutesDeps,
): Promise<unknown> {
  const asked = UpdateRequest.safeParse(request.body ?? {});
  if (!asked.success) throw invalidRequest(asked.error);
  const { chain, cancel } = await standingAlert(request, key, deps);
  if (cancel)
    throw refusals.alreadyOver('cancelled', `By ${cancel.identifier} (/v1/alerts/${cancel.id})`);
  return buildUpdate(chain, asked.data, deps.clock());
}

/** The alert that a follow-up is about. Somebody else's is refused before its state is told. */
async function standingAlert(request: Request, key: ApiKey, deps: AlertRoutesDeps) {
  const id = String(request.params['id']);
  const found = AlertId.safeParse(id).success ? await deps.findAlert(id) : undefined;
  if (!found) throw refusals.unknownAlert(id);
  const authority = authorizeAlert({ ...found.envelope.alert, references: undefined }, key);
  if (authority.length > 0) {
    deps.events.refused('not-authorised', { apiKeyId: key.id, problems: authority });
    throw refusals.notAcceptable(true, authority);
  }
  const { identifier, msgType } = found.envelope.alert;
  if (msgType === 'Cancel')
    throw refusals.alreadyOver('is-cancel', `${identifier} ends an alert; it is none`);
  return { found, ...(await deps.followUpsOf(found)) };
}
