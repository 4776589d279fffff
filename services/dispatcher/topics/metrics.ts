import { Counter, Gauge, type Registry } from 'prom-client';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Outcome } from '../transports/transport.ts';
import type { TokenResult } from './instance-id.ts';
import type { TopicChange } from './membership.ts';

const OUTCOMES = ['accepted', 'rejected', 'throttled', 'unavailable'] as const;
/** What was decided for an alert: see decide-topics.ts. `left`: another node's, and it lives. */
const DECISIONS = ['sent', 'left', 'not-public', 'too-small', 'too-many-topics', 'over'] as const;
export type TopicDecision = (typeof DECISIONS)[number];

/** Metrics of topics; they are there only where topics are on, with every label value at 0 from the start. */
export function createTopicMetrics(
  registry: Registry,
  read: { readonly members: () => number; readonly waiting: () => number },
) {
  const registers = [registry];
  const sends = new Counter({
    name: 'dispatcher_topic_sends_total',
    help: 'Messages to FCM topics by what Google made of them; nobody knows how many devices that is',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of OUTCOMES) sends.inc({ outcome }, 0);
  const alerts = new Counter({
    name: 'dispatcher_topic_alerts_total',
    help: 'Alerts by whether this node sent them to topics, and why not',
    labelNames: ['decision'] as const,
    registers,
  });
  for (const decision of DECISIONS) alerts.inc({ decision }, 0);
  const changes = new Counter({
    name: 'dispatcher_topic_changes_total',
    help: 'Memberships of FCM topics that Google was told, by its answer',
    labelNames: ['change', 'result'] as const,
    registers,
  });
  for (const change of ['add', 'remove'] as const)
    for (const result of ['done', 'refused', 'failed'] as const) changes.inc({ change, result }, 0);
  const requests = new Counter({
    name: 'dispatcher_topic_requests_postponed_total',
    help: 'Requests about memberships that Google did not answer as asked: told again later',
    registers,
  });
  gauge('dispatcher_topic_members', 'Devices whose topics this node looks after', read.members);
  gauge(
    'dispatcher_topic_changes_waiting',
    'Memberships that Google has still to be told',
    read.waiting,
  );
  const walked = new Gauge({
    name: 'dispatcher_topic_walk_ended_seconds',
    help: 'When the last walk through the registry ended (seconds since 1970), 0: none yet',
    registers,
  });
  return { sends, alerts, changes, requests, walked };

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }
}

export type TopicEvents = ReturnType<typeof createTopicEvents>;

/** One function for each thing that happens: counter and log line together. */
export function createTopicEvents(
  metrics: ReturnType<typeof createTopicMetrics>,
  log: Logger,
  alertFields: (alertId: string) => object = (alertId) => ({ alertId }),
) {
  return {
    alertDecided(alert: string, decision: TopicDecision, topics: number): void {
      metrics.alerts.inc({ decision });
      log.info({ ...alertFields(alert), decision, topics }, 'topics of an alert');
    },
    sendEnded(alert: string, topic: string, outcome: Outcome): void {
      // A topic can't be gone; what sounds like it is an address of ours that is wrong.
      const kind = outcome.kind === 'gone' ? 'rejected' : outcome.kind;
      metrics.sends.inc({ outcome: kind });
      const level = kind === 'accepted' ? 'info' : 'warn';
      log[level]({ ...alertFields(alert), topic, outcome }, 'message to a topic');
    },
    changesTold(change: TopicChange['change'], results: readonly TokenResult[]): void {
      for (const result of results) metrics.changes.inc({ change, result });
    },
    postponed(waitMs: number): void {
      metrics.requests.inc();
      log.warn({ waitMs }, 'memberships of topics: told again later');
    },
    walkEnded(nowMs: number, members: number): void {
      metrics.walked.set(Math.round(nowMs / 1000));
      log.debug({ members }, 'walked through the registry for topics');
    },
    madeAnew(error: unknown): void {
      log.error(
        errorFields(error),
        'what is known of topics cannot be read: everybody joins again',
      );
    },
    interrupted(error: unknown): void {
      log.error(errorFields(error), 'topics: interrupted, it will go on');
    },
  };
}
