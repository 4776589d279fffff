import type { Envelope } from '../../../shared/envelope/envelope.ts';
import { SignatureError } from '../../../shared/envelope/signature.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { AskFirst } from '../ask-first.ts';
import { retryAtMs } from '../retry-policy.ts';
import type { OutgoingMessage } from '../transports/transport.ts';
import { type TopicRules, topicsOfAlert, topicTurn } from './decide-topics.ts';
import type { TopicDecision, TopicEvents } from './metrics.ts';
import type { SendToTopic } from './send-to-topic.ts';
import type { TopicOfAlert } from './topic-name.ts';
import type { TopicStore } from './topic-store.ts';

/** An alert that this node has begun to send. */
export interface AlertForTopics {
  readonly envelope: Envelope;
  readonly messageFor: (language: string) => OutgoingMessage;
  /** Rejects with SignatureError when what is in hand is not what was signed (P7). */
  readonly stillRight: () => Promise<void>;
}

export interface AlertTopicsDeps {
  readonly node: string;
  readonly nodes: readonly string[];
  /** Nothing is heard of that peer: its turn is another's. */
  readonly isAway: (node: string) => boolean;
  readonly turnMs: number;
  readonly rules: TopicRules;
  readonly store: Pick<TopicStore, 'wasSent' | 'noteSent'>;
  readonly send: SendToTopic;
  /** Cancelled or updated (P3). */
  readonly isOver: (envelope: Envelope) => boolean;
  readonly askFirst: Pick<AskFirst, 'mayHaveMissed' | 'whenKnown'>;
  readonly events: TopicEvents;
  readonly now: Clock;
  readonly random: () => number;
}

/** A node that has not the first turn looks after so long whether those before it live. */
export const TURN_MS = 15_000;
/** Topics that are sent to at the same time; each message is one of the project's quota. */
const AT_A_TIME = 4;

export interface AlertTopics {
  /** Sends an alert to its topics, if it is one for topics and this node's turn. Returns at once, never throws. */
  readonly begin: (alert: AlertForTopics) => void;
  readonly close: () => Promise<void>;
}

/** The second way of an alert for very many: one message for each topic, with the same id and the same signature. */
export function createAlertTopics(deps: AlertTopicsDeps): AlertTopics {
  const stop = new AbortController();
  const live = new Map<string, Promise<void>>();
  return {
    begin: (alert) => {
      const { id } = alert.envelope;
      if (live.has(id) || stop.signal.aborted) return;
      const ended = sendAlert(alert, deps, stop.signal)
        .catch((error: unknown) => deps.events.interrupted(error))
        .finally(() => live.delete(id));
      live.set(id, ended);
    },
    close: async () => {
      stop.abort();
      await Promise.all(live.values());
    },
  };
}

async function sendAlert(
  alert: AlertForTopics,
  deps: AlertTopicsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { envelope } = alert;
  const decided = (decision: TopicDecision, topics = 0) =>
    deps.events.alertDecided(envelope.id, decision, topics);
  const found = topicsOfAlert(envelope, deps.rules);
  if (found.decision !== 'send') {
    // A canary comes by every few seconds.
    if (envelope.audience === 'public') decided(found.decision);
    return;
  }
  const { turn, before } = topicTurn(envelope, deps.node, deps.nodes);
  if (turn > 0 && !(await sleep(turn * deps.turnMs, signal))) return;
  if (before.some((node) => !deps.isAway(node))) return decided('left');
  const topics = found.topics.filter(({ topic }) => !deps.store.wasSent(envelope.id, topic));
  if (isOver(alert, deps)) return decided('over');
  decided('sent', topics.length);
  const queue = topics.values();
  const worker = async () => {
    for (const topic of queue) await sendOne(topic, alert, deps, signal);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

function isOver({ envelope }: AlertForTopics, { isOver, now }: AlertTopicsDeps): boolean {
  return isOver(envelope) || Date.parse(envelope.expiresAt) <= now();
}

/** Until Google has taken it, will never take it, or the alert is over. */
async function sendOne(
  { topic, language }: TopicOfAlert,
  alert: AlertForTopics,
  deps: AlertTopicsDeps,
  signal: AbortSignal,
): Promise<void> {
  const { envelope } = alert;
  const message = alert.messageFor(language);
  for (let attempt = 1; !signal.aborted; attempt++) {
    await untilKnown(deps.askFirst, signal);
    if (isOver(alert, deps) || signal.aborted || !(await isRight(alert, deps))) return;
    const outcome = await deps.send(topic, message, signal);
    if (signal.aborted && outcome.kind !== 'accepted') return;
    deps.events.sendEnded(envelope.id, topic, outcome);
    if (outcome.kind === 'accepted') deps.store.noteSent(envelope.id, topic, deps.now());
    const dueMs = retryAtMs(outcome, attempt, {
      nowMs: deps.now(),
      expiresAtMs: message.expiresAtMs,
      random: deps.random(),
    });
    if (dueMs === undefined) return;
    await sleep(dueMs - deps.now(), signal);
  }
}

/** A node that was away may not know yet that the alert is over. */
function untilKnown(
  askFirst: AlertTopicsDeps['askFirst'],
  signal: AbortSignal,
): Promise<void> | undefined {
  if (!askFirst.mayHaveMissed()) return undefined;
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    askFirst.whenKnown(resolve);
  });
}

async function isRight(
  { stillRight }: AlertForTopics,
  { events }: Pick<AlertTopicsDeps, 'events'>,
): Promise<boolean> {
  try {
    await stillRight();
    return true;
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    events.interrupted(error);
    return false;
  }
}
