import type { Alert } from '../../shared/alert/alert.ts';
import { audienceOfStatus } from '../../shared/alert/audience.ts';
import type { AlertProblem } from '../../shared/alert/check-alert.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import type { AlertTraces } from '../../shared/trace/alert-traces.ts';
import type { AcceptedAnswer } from './accept/accepted-answer.ts';
import type { LaneMessage, LaneResult, LaneTarget } from './lanes/lane-target.ts';
import type { IngestMetrics, RequestResult } from './metrics.ts';

/** Business events: each writes its counter, its log line and its place in the alert's timeline together. */
export interface IngestEvents {
  accepted(alert: Alert, answer: AcceptedAnswer, seconds: number): void;
  replayed(answer: AcceptedAnswer): void;
  notStored(alert: Alert, id: string): void;
  refused(
    result: Exclude<RequestResult, 'accepted' | 'replayed' | 'not-stored'>,
    facts: RefusalFacts,
  ): void;
  laneAnswered(target: LaneTarget, message: Pick<LaneMessage, 'id'>, result: LaneResult): void;
  laneCaughtUp(target: LaneTarget, message: Pick<LaneMessage, 'id'>, result: LaneResult): void;
  outboxFailed(error: unknown): void;
  proofsReported(report: ProofReport): void;
}

interface RefusalFacts {
  readonly apiKeyId?: string;
  readonly status?: Alert['status'] | undefined;
  readonly problems?: readonly AlertProblem[];
}

export function createIngestEvents(
  metrics: IngestMetrics,
  log: Logger,
  traces: AlertTraces,
): IngestEvents {
  const audience = (status: Alert['status'] | undefined) =>
    (status === undefined ? undefined : audienceOfStatus(status)) ?? 'unknown';
  return {
    accepted(alert, answer, seconds) {
      metrics.requests.inc({ audience: audience(alert.status), result: 'accepted' });
      metrics.acceptSeconds.observe({ durability: answer.durability }, seconds);
      const fields = {
        ...traces.logFields(answer.id),
        msgType: alert.msgType,
        status: alert.status,
        seconds,
        storedBy: answer.storedBy,
      };
      traces.end(answer.id, { result: answer.durability });
      if (answer.durability === 'one-site') {
        metrics.oneSite.inc({ audience: audience(alert.status) });
        log.error(fields, 'alert accepted, but only one site holds it');
      } else log.info(fields, 'alert accepted');
    },
    replayed(answer) {
      metrics.requests.inc({ audience: audience(answer.status), result: 'replayed' });
      traces.note(answer.id, 'repeated');
      log.info(traces.logFields(answer.id), 'same alert again: same answer');
    },
    notStored(alert, id) {
      metrics.requests.inc({ audience: audience(alert.status), result: 'not-stored' });
      traces.note(id, 'not-accepted');
      traces.end(id, {}, false);
      log.error(
        { ...traces.logFields(id), status: alert.status },
        'no site acknowledged the alert: answered 503',
      );
    },
    refused(result, { apiKeyId, status, problems }) {
      metrics.requests.inc({ audience: audience(status), result });
      log.warn(
        { result, apiKeyId, fields: problems?.slice(0, 20).map(({ field }) => field.slice(0, 80)) },
        'request refused',
      );
    },
    laneAnswered(target, message, result) {
      metrics.laneResults.inc({ kind: target.kind, site: target.site, result: result.kind });
      const fields = { ...traces.logFields(message.id), target: target.key };
      if (result.kind === 'failed') {
        const { kind, site, name } = target;
        traces.note(message.id, 'lane-failed', { target: kind, site, node: name });
      }
      if (result.kind === 'conflict')
        log.error(fields, 'holds another content under the id of this alert');
      else if (result.kind === 'failed')
        log.debug({ ...fields, reason: result.reason }, 'lane did not acknowledge');
    },
    laneCaughtUp(target, message, result) {
      this.laneAnswered(target, message, result);
      if (result.kind === 'acknowledged')
        log.info(
          { ...traces.logFields(message.id), target: target.key },
          'lagging lane has the alert',
        );
    },
    outboxFailed(error) {
      metrics.outboxFailures.inc();
      log.error(errorFields(error), 'outbox failed');
    },
    proofsReported(report) {
      metrics.proofs.inc();
      log.debug({ canary: report.canary, proofs: report.proofs.length }, 'canary reported');
    },
  };
}
