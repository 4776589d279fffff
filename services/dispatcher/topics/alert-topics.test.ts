import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import type { Alert } from '../../../shared/alert/alert.ts';
import { createVerifier, SignatureError } from '../../../shared/envelope/signature.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import {
  aCanaryAlert,
  anAlert,
  type SignedEnvelope,
  signedEnvelope,
  TEST_KEY_SET,
} from '../../../tests/support/alert-builder.ts';
import { NOBODY_TO_ASK } from '../ask-first.ts';
import { outgoingMessages } from '../outgoing-messages.ts';
import type { Outcome, OutgoingMessage } from '../transports/transport.ts';
import { type AlertTopicsDeps, createAlertTopics } from './alert-topics.ts';
import { topicTurn } from './decide-topics.ts';
import { createTopicEvents, createTopicMetrics } from './metrics.ts';

const NODES = ['a', 'b'];
const LATER: Outcome = { kind: 'unavailable', reason: 'provider-error', retryAfterMs: 0 };
let alert: SignedEnvelope;
let first: string;
let second: string;
let sent: string[];
let noted: Set<string>;

beforeAll(async () => {
  alert = await signedEnvelope(anAlert({ identifier: 'one' }));
  const isFirst = (node: string) => topicTurn(alert.envelope, node, NODES).turn === 0;
  first = isFirst('a') ? 'a' : 'b';
  second = isFirst('a') ? 'b' : 'a';
});
beforeEach(() => {
  sent = [];
  noted = new Set();
});

function topics(changes: Partial<AlertTopicsDeps> = {}) {
  const metrics = createTopicMetrics(new MetricsRegistry(), { members: () => 0, waiting: () => 0 });
  return createAlertTopics({
    node: first,
    nodes: NODES,
    isAway: () => false,
    turnMs: 20,
    rules: { minAudience: 1, languages: ['fr', 'en'], audience: () => 1, wasSent: () => false },
    store: {
      wasSent: (id, topic) => noted.has(`${id} ${topic}`),
      noteSent: (id, topic) => void noted.add(`${id} ${topic}`),
    },
    send: async (topic, message) => {
      sent.push(`${topic} ${languageOf(message)}`);
      return { kind: 'accepted' };
    },
    isOver: () => false,
    askFirst: NOBODY_TO_ASK,
    events: createTopicEvents(metrics, createLogger('dispatcher', 'a', 'silent')),
    now: Date.now,
    random: () => 0,
    ...changes,
  });
}

function languageOf({ signedMessage }: OutgoingMessage): string {
  const [, payload = ''] = signedMessage.split('.');
  const message: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  return String((message as { language: unknown }).language);
}

async function begun(
  { envelope }: SignedEnvelope,
  stillRight: () => Promise<void> = () => Promise.resolve(),
) {
  const messageFor = await outgoingMessages(envelope, 'a', createVerifier(TEST_KEY_SET, 'alert'));
  return { envelope, messageFor, stillRight };
}

const EVERYWHERE = [
  'tocsin.public.at-06.en en-GB',
  'tocsin.public.at-06.fr fr-FR',
  'tocsin.public.at-06088.en en-GB',
  'tocsin.public.at-06088.fr fr-FR',
];

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!isSo() && Date.now() < deadline) await sleep(5);
  expect(isSo()).toBe(true);
}

test('each topic gets the text in its language, once, however often the alert is begun', async () => {
  const one = topics();
  one.begin(await begun(alert));
  one.begin(await begun(alert));
  await until(() => noted.size === 4);
  await one.close();
  const afterRestart = topics();
  afterRestart.begin(await begun(alert));
  await sleep(50);
  await afterRestart.close();
  expect([...sent].sort()).toEqual(EVERYWHERE);
});

test('another node sends only when those before it are silent', async () => {
  const alive = topics({ node: second });
  alive.begin(await begun(alert));
  await sleep(100);
  await alive.close();
  expect(sent).toEqual([]);
  const alone = topics({ node: second, isAway: (node) => node === first });
  alone.begin(await begun(alert));
  await until(() => sent.length === 4);
  await alone.close();
});

test('what a provider refuses for now is tried again; P3: an alert that is over is not', async () => {
  let isOver = false;
  const failing = topics({
    send: async (topic) => {
      sent.push(topic);
      return sent.length > 4 ? { kind: 'accepted' } : LATER;
    },
    isOver: () => isOver,
  });
  failing.begin(await begun(alert));
  await until(() => noted.size === 4);
  expect(sent).toHaveLength(8);
  await failing.close();

  sent = [];
  noted.clear();
  const cancelled = topics({
    send: async (topic) => {
      sent.push(topic);
      isOver = true;
      return LATER;
    },
    isOver: () => isOver,
  });
  cancelled.begin(await begun(alert));
  await sleep(1_300);
  await cancelled.close();
  expect(sent.length).toBeLessThanOrEqual(4);
});

test.each<[string, () => Alert, boolean]>([
  ['P6: a canary’s Test', () => aCanaryAlert({ identifier: 'test', probes: ['x'] }), true],
  [
    'P3: what has expired',
    () => anAlert({ identifier: 'late', sentMs: Date.now() - 7_200_000, lifeSeconds: 60 }),
    false,
  ],
])('%s goes to no topic', async (_what, make, isCanary) => {
  const path = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } as const;
  const unwanted = await signedEnvelope(make(), isCanary ? { path } : {});
  for (const node of NODES) {
    const each = topics({ node, isAway: () => true });
    each.begin(await begun(unwanted));
    await sleep(60);
    await each.close();
  }
  expect(sent).toEqual([]);
});

test('P7 P8: what is not what was signed goes to no topic', async () => {
  const wrong = topics();
  const notRight = async () => {
    throw new SignatureError('not what was signed');
  };
  wrong.begin(await begun(alert, notRight));
  await sleep(60);
  await wrong.close();
  expect(sent).toEqual([]);
});
