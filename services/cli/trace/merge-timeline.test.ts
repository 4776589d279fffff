import { expect, test } from '@jest/globals';
import { ENGLISH } from '../texts-en.ts';
import { FRENCH } from '../texts-fr.ts';
import type { Answer, Asked } from './ask-services.ts';
import { mergeTimeline } from './merge-timeline.ts';
import { timelineLines } from './timeline-lines.ts';

const TRACE = 'a'.repeat(32);
const ID = 'b'.repeat(32);
const ZERO = Date.parse('2026-07-14T20:31:08.000Z');
const at = (seconds: number) => new Date(ZERO + seconds * 1000).toISOString();
const event = (seconds: number, name: string, attributes: Record<string, unknown> = {}) => ({
  at: at(seconds),
  name,
  attributes,
});
const says = (
  kind: Asked['kind'],
  name: string,
  events: Answer['events'],
  more: Partial<Answer> = {},
): Asked => ({ kind, name, answer: { traceId: TRACE, events, ...more } });
const skew = (...skews: [string, string, number][]) => ({
  clockSkew: skews.map(([kind, node, skewSeconds]) => ({ kind, node, skewSeconds })),
});
const rows = (asked: Asked[]) =>
  mergeTimeline(asked).rows.map(({ seconds, kind, node, name }) => [seconds, kind, node, name]);

test('everybody’s events are one story, counted from ingest’s answer', () => {
  const timeline = mergeTimeline([
    says('dispatcher', 'a', [event(-0.02, 'arrived'), event(0.3, 'last-accepted', { count: 7 })]),
    says('ingest', 'a', [event(-0.05, 'written'), event(0, 'accepted')]),
    { kind: 'ingest', name: 'b', answer: 'unknown' },
    { kind: 'dispatcher', name: 'b', answer: 'no-answer' },
    { kind: 'edge', name: 'b', answer: { refused: 401 } },
  ]);
  expect(timeline).toMatchObject({
    traceIds: [TRACE],
    zero: 'accepted',
    zeroAt: at(0),
    noAnswer: [{ kind: 'dispatcher', name: 'b' }],
    unknown: [{ kind: 'ingest', name: 'b' }],
    refused: [{ kind: 'edge', name: 'b' }],
  });
  expect(timeline.rows.map(({ seconds, name }) => [seconds, name])).toEqual([
    [-0.05, 'written'],
    [-0.02, 'arrived'],
    [0, 'accepted'],
    [0.3, 'last-accepted'],
  ]);
});

test('a clock that is two hours ahead is put right by what a canary measured, and that is said', () => {
  const asked = [
    says('ingest', 'a', [event(0, 'accepted')]),
    says('dispatcher', 'b', [
      event(7_200.1, 'retried', { count: 2, lastAt: at(7_203.1) }),
      event(7_200.05, 'arrived'),
    ]),
    says('canary', 'a', [], skew(['ingest', 'a', 0], ['dispatcher', 'b', 7_200])),
  ];
  expect(rows(asked)).toEqual([
    [0, 'ingest', 'a', 'accepted'],
    [0.05, 'dispatcher', 'b', 'arrived'],
    [0.1, 'dispatcher', 'b', 'retried'],
  ]);
  const timeline = mergeTimeline(asked);
  expect(timeline.rows.at(-1)?.lastSeconds).toBe(3.1);
  expect(timeline.corrected).toEqual([{ kind: 'dispatcher', node: 'b', skewSeconds: 7_200 }]);
  expect(timeline.clockOf).toBe('canary a');
});

test('a second canary’s clock is known by the nodes that both measured', () => {
  const asked = [
    says('ingest', 'a', [event(0, 'accepted')]),
    says('canary', 'a', [event(1, 'witnessed')], skew(['ingest', 'a', 0], ['edge', 'a', 0])),
    // It is an hour ahead, so that everybody seems an hour behind to it.
    says(
      'canary',
      'b',
      [event(3_602, 'witnessed')],
      skew(['ingest', 'a', -3_600], ['edge', 'a', -3_600]),
    ),
  ];
  expect(rows(asked).map(([seconds]) => seconds)).toEqual([0, 1, 2]);
});

test('with the ingest that took it dead, seconds count from the signature', () => {
  const timeline = mergeTimeline([
    { kind: 'ingest', name: 'a', answer: 'no-answer' },
    says('dispatcher', 'a', [event(0.1, 'arrived')], { issuedAt: at(-0.1) }),
  ]);
  expect([timeline.zero, timeline.rows[0]?.seconds]).toEqual(['signed', 0.2]);
});

test('of a dispatcher that is dead a peer tells what it knows; where it answers itself nobody else does', () => {
  const ofB = (count: number) => [
    event(0.1, 'first-accepted', { node: 'b' }),
    event(0.2, 'last-accepted', { node: 'b', count }),
  ];
  const alive = says('dispatcher', 'b', [event(0.1, 'last-accepted', { count: 9 })]);
  const dead: Asked = { kind: 'dispatcher', name: 'b', answer: 'no-answer' };
  const peers = [says('dispatcher', 'a', ofB(4)), says('dispatcher', 'c', ofB(6))];
  const told = (asked: Asked[]) =>
    mergeTimeline(asked).rows.map(({ node, name, saidBy }) => [node, name, saidBy]);
  expect(told([...peers, dead])).toEqual([
    ['b', 'first-accepted', 'c'],
    ['b', 'last-accepted', 'c'],
  ]);
  expect(told([...peers, alive])).toEqual([['b', 'last-accepted', undefined]]);
});

test('nobody knows it: no rows, and no instant to count from', () => {
  const timeline = mergeTimeline([{ kind: 'ingest', name: 'a', answer: 'unknown' }]);
  expect([timeline.rows, timeline.zeroAt]).toEqual([[], undefined]);
});

test('the table names who is missing, in both languages, and shows what it does not know by its name', () => {
  const timeline = mergeTimeline([
    says('ingest', 'a', [event(0, 'accepted', { result: 'two-sites' })]),
    says('dispatcher', 'a', [event(12.5, 'peer-unanswering', { node: 'b' })]),
    says('edge', 'a', [event(1, 'teleported', {})]),
    { kind: 'dispatcher', name: 'b', answer: 'no-answer' },
  ]);
  expect(timelineLines(ID, timeline, ENGLISH)).toEqual([
    `Message ${ID}, accepted at ${at(0)}; seconds since acceptance`,
    `Trace ${TRACE}`,
    '',
    '   +0.000 s  ingest a      accepted (202): two sites have it on disk',
    '   +1.000 s  edge a        teleported',
    '  +12.500 s  dispatcher a  dispatcher b does not answer any more',
    '',
    'NO ANSWER: dispatcher b. They may have done more than stands here.',
    'No canary answers: clocks are taken as they are.',
  ]);
  const french = timelineLines(ID, timeline, FRENCH).join('\n');
  expect(french).toContain('+12,500 s  répartiteur a  le répartiteur b ne répond plus');
  expect(french).toContain('SANS RÉPONSE : répartiteur b.');
});
