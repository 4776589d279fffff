import { expect, test } from '@jest/globals';
import { type TopicFacts, type TopicRules, topicsOfAlert, topicTurn } from './decide-topics.ts';

const ALERT: TopicFacts = {
  id: 'alert-1',
  audience: 'public',
  areaCodes: ['06'],
  references: [],
  alert: { status: 'Actual', scope: 'Public' },
};
const RULES: TopicRules = {
  minAudience: 100_000,
  languages: ['fr', 'en'],
  audience: () => 100_000,
  wasSent: () => false,
};
const PATH = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } as const;

test.each<[string, Partial<TopicFacts>, Partial<TopicRules>, string]>([
  ['a large public alert', {}, {}, 'send'],
  [
    'a public Exercise: it is for people',
    { alert: { status: 'Exercise', scope: 'Public' } },
    {},
    'send',
  ],
  ['one device fewer than the setting', {}, { audience: () => 99_999 }, 'too-small'],
  ['a replica that does not know how many', {}, { audience: () => undefined }, 'send'],
  [
    'an end of something that went to topics, whoever is left',
    { references: ['alert-0'] },
    { audience: () => 0, wasSent: (id) => id === 'alert-0' },
    'send',
  ],
  ['P6: a canary', { audience: 'canary', path: PATH }, {}, 'not-public'],
  [
    'P6: a Test that says it is public',
    { alert: { status: 'Test', scope: 'Public' } },
    {},
    'not-public',
  ],
  ['P6: a private message', { alert: { status: 'Actual', scope: 'Private' } }, {}, 'not-public'],
  [
    'P6: a message with addresses',
    { alert: { status: 'Actual', scope: 'Public', addresses: 'x' } },
    {},
    'not-public',
  ],
  ['P6: a path of a canary', { path: PATH }, {}, 'not-public'],
  ['P6: the reserved area beside another', { areaCodes: ['06', 'ZZ999'] }, {}, 'not-public'],
  ['P7: no area', { areaCodes: [] }, {}, 'not-public'],
  [
    'more topics than Google sends to at a time',
    { areaCodes: Array.from({ length: 300 }, (_, i) => `06${String(i).padStart(3, '0')}`) },
    {},
    'too-many-topics',
  ],
])('%s', (_what, facts, rules, decision) => {
  expect(topicsOfAlert({ ...ALERT, ...facts }, { ...RULES, ...rules }).decision).toBe(decision);
});

test('each node has a turn of its own; what ends an alert has the turns of the alert', () => {
  const nodes = ['a', 'b', 'c'];
  for (const id of ['one', 'two', 'three', 'four']) {
    const turns = nodes.map((node) => topicTurn({ id, references: [] }, node, nodes));
    expect(turns.map(({ turn }) => turn).sort()).toEqual([0, 1, 2]);
    for (const { turn, before } of turns) expect(before).toHaveLength(turn);
    const ofCancel = nodes.map((node) => topicTurn({ id: 'other', references: [id] }, node, nodes));
    expect(ofCancel).toEqual(turns);
  }
  expect(topicTurn({ id: 'one', references: [] }, 'a', ['a'])).toEqual({ turn: 0, before: [] });
});
