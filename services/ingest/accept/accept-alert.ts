import type { Alert } from '../../../shared/alert/alert.ts';
import { alertId } from '../../../shared/alert/alert-id.ts';
import { alertAreaCodes } from '../../../shared/alert/area.ts';
import type { Audience } from '../../../shared/alert/audience.ts';
import type { AlertProblem } from '../../../shared/alert/check-alert.ts';
import { contentHash } from '../../../shared/envelope/hashes.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { AlertTraces } from '../../../shared/trace/alert-traces.ts';
import {
  formatTraceparent,
  originOfRequest,
  type TraceContext,
  traceOfJws,
} from '../../../shared/trace/trace-context.ts';
import type { IngestEvents } from '../events.ts';
import type { LaneMessage, LaneTarget } from '../lanes/lane-target.ts';
import type { IdempotencyUse, Outbox, OutboxEntry } from '../lanes/outbox.ts';
import { type Decision, publishAlert } from '../lanes/publish-alert.ts';
import { AcceptedAnswer, acceptedAnswer } from './accepted-answer.ts';
import { type AudienceSize, total } from './ask-audience.ts';
import { type AudienceSigners, type Draft, draftEnvelope, signEnvelope } from './build-envelope.ts';
import type { CanaryRound } from './canary-path.ts';
import { ASSUMED_AUDIENCE, shardCount } from './shard-count.ts';
import type { WorkSlots } from './work-slots.ts';

/** An alert that was checked and authorised: nothing after this point asks whether it may be sent. */
interface Submission {
  readonly alert: Alert;
  readonly round: CanaryRound | undefined;
  readonly apiKeyId: string;
  readonly idempotency: IdempotencyUse | undefined;
  /** The trace that its author's request belongs to. */
  readonly parent: TraceContext | undefined;
}

/** How an accept ends. Expected ends are values; the route turns them into answers. */
export type Acceptance =
  | {
      readonly kind: 'accepted';
      readonly answer: AcceptedAnswer;
      readonly replayed: boolean;
      /** W3C `traceparent` of this ingest's part, for the answer's header. */
      readonly traceparent: string | undefined;
    }
  | { readonly kind: 'conflict'; readonly identifier: string; readonly where: string }
  | { readonly kind: 'too-long'; readonly problems: readonly AlertProblem[] }
  | { readonly kind: 'not-stored' }
  | { readonly kind: 'not-written' }
  | { readonly kind: 'busy' };

export interface AcceptDeps {
  readonly node: string;
  readonly outbox: Outbox;
  readonly targets: readonly LaneTarget[];
  readonly signers: Readonly<Record<Audience, AudienceSigners>>;
  readonly verifyEnvelope: Verify;
  readonly askAudience: (areaCodes: readonly string[]) => Promise<AudienceSize>;
  readonly slots: WorkSlots;
  readonly events: IngestEvents;
  readonly traces: AlertTraces;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Publishing ends this long after the request began, so that even a 503 is there within two seconds. */
const ANSWER_LIMIT_MS = 1_750;
/** And it never takes longer than this by itself. */
const PUBLISH_LIMIT_MS = 1_500;

interface Identity {
  readonly id: string;
  readonly contentHash: string;
}

/** The accept step, and what it remembers. */
export interface AlertAcceptance {
  /**
   * The same message twice, at once or later, is one alert and one answer; the same CAP identity with another content is
   * a conflict. Whoever approves alerts before they are sent calls this after the approval.
   */
  accept(submission: Submission): Promise<Acceptance>;
  /** The answer that this very message got before, also when it has expired since. */
  recall(alert: Alert): Promise<Acceptance | undefined>;
}

export function createAcceptance(deps: AcceptDeps): AlertAcceptance {
  const inWork = new Map<string, Identity & { result: Promise<Acceptance> }>();
  return {
    async accept(submission) {
      const { alert } = submission;
      const identity = await identify(alert);
      const running = inWork.get(identity.id);
      if (running) {
        if (running.contentHash !== identity.contentHash) return conflict(alert, deps.node);
        return asReplay(await running.result);
      }
      const known = deps.outbox.find(identity.id);
      if (known && known.contentHash !== identity.contentHash) return conflict(alert, deps.node);
      const earlier = known && replayOf(known);
      if (earlier) {
        if (submission.idempotency) deps.outbox.remember(submission.idempotency, known.id);
        return earlier;
      }
      const leave = deps.slots.enter(alert);
      if (!leave) return { kind: 'busy' };
      const result = issue(submission, identity, known, deps).finally(() => {
        inWork.delete(identity.id);
        leave();
      });
      inWork.set(identity.id, { ...identity, result });
      return result;
    },
    async recall(alert) {
      const identity = await identify(alert);
      const known = deps.outbox.find(identity.id);
      return known?.contentHash === identity.contentHash ? replayOf(known) : undefined;
    },
  };
}

async function identify(alert: Alert): Promise<Identity> {
  return { id: await alertId(alert), contentHash: await contentHash(alert) };
}

function conflict(alert: Alert, where: string): Acceptance {
  return { kind: 'conflict', identifier: alert.identifier, where };
}

function asReplay(result: Acceptance): Acceptance {
  return result.kind === 'accepted' ? { ...result, replayed: true } : result;
}

function replayOf(known: OutboxEntry): Acceptance | undefined {
  if (known.state !== 'accepted' || known.answer === undefined) return undefined;
  const trace = traceOfJws(known.jws);
  return {
    kind: 'accepted',
    answer: AcceptedAnswer.parse(JSON.parse(known.answer)),
    replayed: true,
    traceparent: trace && formatTraceparent(trace),
  };
}

/** Signs, writes down, sends, answers. */
async function issue(
  submission: Submission,
  identity: Identity,
  known: OutboxEntry | undefined,
  deps: AcceptDeps,
): Promise<Acceptance> {
  const startedMs = performance.now();
  const { alert } = submission;
  const trace = beginTrace(submission, identity, known, deps);
  const [drafted, audience] = await Promise.all([
    draftEnvelope(alert, submission.round, deps.signers, trace),
    alert.status === 'Test' ? undefined : deps.askAudience(alertAreaCodes(alert)),
  ]);
  if (!drafted.ok) return { kind: 'too-long', problems: drafted.problems };
  // A refused message may be out there in part. Its repeat is the very same envelope: two cuts into shards of one alert
  // would make the dispatchers' receipts mean different people.
  const jws = known?.jws ?? (await sign(drafted.draft, audience, deps));
  const message: LaneMessage = {
    ...identity,
    audience: drafted.draft.audience,
    sender: alert.sender,
    jws,
  };
  if (!write(message, drafted.draft, submission, deps)) return { kind: 'not-written' };
  const deadlineMs = Math.min(PUBLISH_LIMIT_MS, ANSWER_LIMIT_MS - (performance.now() - startedMs));
  const { decided } = publishAlert(message, deps.targets, {
    deadlineMs: Math.max(0, Math.round(deadlineMs)),
    random: deps.random,
    signal: deps.signal,
    onResult: (target, result) => {
      deps.events.laneAnswered(target, message, result);
      settleLane(target, message.id, result.kind, deps);
    },
  });
  const decision = await decided;
  return answer(
    decision,
    { alert, message, audience, seconds: (performance.now() - startedMs) / 1000 },
    deps,
  );
}

/** A refused message that is repeated is the same envelope, so it stays in the trace that this one names. */
function beginTrace(
  { alert, parent }: Submission,
  { id }: Identity,
  known: OutboxEntry | undefined,
  { traces }: AcceptDeps,
): TraceContext {
  const origin = originOfRequest(id, known === undefined ? parent : traceOfJws(known.jws));
  return traces.begin(id, alert.status === 'Test' ? 'canary' : 'public', origin, 'accept');
}

async function sign(draft: Draft, audience: AudienceSize, deps: AcceptDeps): Promise<string> {
  const size = audience === undefined ? ASSUMED_AUDIENCE : total(audience);
  const shards = draft.audience === 'canary' ? 1 : shardCount(size);
  const issued = { shards, issuer: deps.node, nowMs: deps.clock() };
  const jws = await signEnvelope(draft, issued, deps.signers[draft.audience].envelope);
  // What a dispatcher or a device would refuse is our bug, and has to be seen here, not there.
  await openEnvelope(jws, deps.verifyEnvelope);
  return jws;
}

function write(
  message: LaneMessage,
  draft: Draft,
  submission: Submission,
  deps: AcceptDeps,
): boolean {
  try {
    deps.outbox.add({
      ...message,
      identifier: draft.alert.identifier,
      msgType: draft.alert.msgType,
      apiKeyId: submission.apiKeyId,
      expiresAtMs: Date.parse(draft.expiresAt),
      references: draft.references,
      targets: deps.targets.map(({ key }) => key),
      idempotency: submission.idempotency,
      nowMs: deps.clock(),
    });
    return true;
  } catch (error) {
    deps.events.outboxFailed(error);
    return false;
  }
}

function settleLane(
  target: LaneTarget,
  id: string,
  kind: 'acknowledged' | 'conflict' | 'failed',
  deps: AcceptDeps,
): void {
  if (kind === 'failed') return;
  try {
    const state = kind === 'acknowledged' ? 'done' : 'conflict';
    deps.outbox.settleLane(id, target.key, state, deps.clock());
  } catch (error) {
    // The lane stays owed and is sent to again: a repeat, not a miss.
    deps.events.outboxFailed(error);
  }
}

interface Issued {
  readonly alert: Alert;
  readonly message: LaneMessage;
  readonly audience: AudienceSize;
  readonly seconds: number;
}

function answer(decision: Decision, issued: Issued, deps: AcceptDeps): Acceptance {
  const { alert, message } = issued;
  const recorded = (record: () => void) => {
    try {
      record();
    } catch (error) {
      deps.events.outboxFailed(error);
    }
  };
  switch (decision.kind) {
    case 'not-stored':
      recorded(() => deps.outbox.refuse(message.id));
      deps.events.notStored(alert, message.id);
      return { kind: 'not-stored' };
    case 'conflict':
      recorded(() => deps.outbox.refuse(message.id));
      return conflict(alert, decision.at.name);
    case 'one-site':
    case 'two-sites': {
      const { audience } = issued;
      const body = acceptedAnswer(message.id, alert, {
        durability: decision.kind,
        storedBy: decision.by.map(storedBy),
        audience: audience === undefined ? null : { total: total(audience), counts: audience },
      });
      recorded(() => deps.outbox.accept(message.id, JSON.stringify(body), deps.clock()));
      deps.events.accepted(alert, body, issued.seconds);
      const trace = deps.traces.contextOf(message.id);
      const traceparent = trace && formatTraceparent(trace);
      return { kind: 'accepted', answer: body, replayed: false, traceparent };
    }
  }
}

function storedBy({ site, kind, name }: LaneTarget): AcceptedAnswer['storedBy'][number] {
  return { site, lane: kind === 'bus' ? 'bus' : 'direct', node: name };
}
