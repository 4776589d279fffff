import { join } from 'node:path';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { AskFirst } from '../ask-first.ts';
import { isOver } from '../is-over.ts';
import type { Journal } from '../journal.ts';
import type { Registry } from '../registry.ts';
import { AccessTokens } from '../transports/fcm/access-token.ts';
import type { FcmEnv } from '../transports/fcm/config.ts';
import { firebaseTokenSource } from '../transports/fcm/firebase-credential.ts';
import { type AlertTopics, createAlertTopics, TURN_MS } from './alert-topics.ts';
import type { TopicsEnv } from './config.ts';
import { createChangeMembers } from './instance-id.ts';
import { keepMembers } from './keep-members.ts';
import { createTopicEvents, createTopicMetrics } from './metrics.ts';
import { createSendToTopic } from './send-to-topic.ts';
import { keeperOf, watchAway } from './share.ts';
import { openTopicStore } from './topic-store.ts';

export interface TopicsDeps {
  readonly node: string;
  readonly nodes: readonly string[];
  readonly registry: Registry;
  readonly isReplicaWhole: () => boolean;
  readonly journal: Pick<Journal, 'isEnded' | 'isCancelled'>;
  readonly silent: (node: string) => boolean;
  readonly unanswering: (node: string) => boolean;
  readonly askFirst: AskFirst;
  /** An alert is being sent. */
  readonly isBusy: () => boolean;
  readonly metricsRegistry: MetricsRegistry;
  readonly log: Logger;
  /** What every log line about an alert carries. */
  readonly alertFields: (alertId: string) => object;
  readonly now: Clock;
}

/** Starts to keep who is in which topic. Only where FCM_TOPICS is on. */
export function startTopics(
  config: TopicsEnv & FcmEnv & { readonly DATA_DIR: string },
  deps: TopicsDeps,
): AlertTopics {
  const { node, nodes, registry, log, now } = deps;
  const { FCM_TOPICS_LANGUAGES: languages } = config;
  const tokens = new AccessTokens({
    fetchToken: firebaseTokenSource(
      { keyFile: config.FCM_CREDENTIALS_FILE, oauthOrigin: config.OAUTH_ORIGIN },
      { clock: now },
    ),
    clock: now,
    random: Math.random,
    // The transport, which has the same credential, says what there is to say about it.
    onRefresh: () => undefined,
  });
  let madeAnew: unknown;
  const store = openTopicStore(join(config.DATA_DIR, 'topics.sqlite'), (error) => {
    madeAnew = error;
  });
  const metrics = createTopicMetrics(deps.metricsRegistry, {
    members: () => store.members,
    waiting: () => store.waiting,
  });
  const events = createTopicEvents(metrics, log, deps.alertFields);
  if (madeAnew !== undefined) events.madeAnew(madeAnew);

  const hasLeft = watchAway(deps.silent);
  const isLeft = (name: string) => name !== node && hasLeft(name, now());
  const stop = new AbortController();
  const keeping = keepMembers(
    {
      languages,
      changesPerSecond: config.FCM_TOPICS_CHANGES_PER_SECOND,
      walkEveryMs: config.FCM_TOPICS_WALK_SECONDS * 1000,
    },
    {
      registry,
      store,
      changeMembers: createChangeMembers({ origin: config.IID_ORIGIN, tokens, now }),
      isOwn: (deviceId) => keeperOf(deviceId, nodes, isLeft) === node,
      liveNodes: () => nodes.filter((name) => !isLeft(name)).length,
      isBusy: deps.isBusy,
      events,
      now,
      random: Math.random,
    },
    stop.signal,
  );
  const alerts = createAlertTopics({
    node,
    nodes,
    isAway: (name) => deps.silent(name) || deps.unanswering(name),
    turnMs: TURN_MS,
    rules: {
      minAudience: config.FCM_TOPICS_MIN_AUDIENCE,
      languages,
      audience: (reach) =>
        deps.isReplicaWhole() ? registry.count({ kind: 'public', reach }, 'fcm', false) : undefined,
      wasSent: (alertId) => store.wasSent(alertId),
    },
    store,
    send: createSendToTopic({
      origin: config.FCM_ORIGIN,
      projectId: config.FCM_PROJECT_ID,
      tokens,
      now,
    }),
    isOver: (envelope) => isOver(envelope, deps.journal),
    askFirst: deps.askFirst,
    events,
    now,
    random: Math.random,
  });
  return {
    begin: alerts.begin,
    close: async () => {
      stop.abort();
      tokens.close();
      await Promise.all([keeping, alerts.close()]);
      store.close();
    },
  };
}
