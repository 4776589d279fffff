import { expect, test } from '@jest/globals';
import { page, ticket } from './breakage.ts';
import {
  detection,
  type Facts,
  falseAlarms,
  falseOks,
  isTold,
  isWell,
  type Sample,
  unread,
} from './verdict.ts';

const FCM = 'a:bus:b:fcm';
const WEB = 'a:bus:b:web-push';

const view = (proved: readonly string[], trouble: readonly string[]) => ({
  proved,
  total: 2,
  headline: trouble[0] ?? 'An alert would arrive',
  trouble,
});
const WELL = view([FCM, WEB], []);
const RED = view([WEB], ['NOTHING ARRIVES BY FCM']);
const metrics = (age: number, canaryAge = 3) => ({
  pathAges: { [FCM]: age, [WEB]: 10 },
  canaryAges: { a: canaryAge, b: 3 },
  firing: [],
});
const at = (seconds: number, sample: Omit<Sample, 'seconds'>): Sample => ({ seconds, ...sample });

/** FCM is broken for both canaries, and somebody was called in time. */
const facts = (changes: Partial<Facts> = {}): Facts => ({
  expected: page('TransportUnproved'),
  unprovable: { a: [FCM], b: [FCM] },
  broken: [FCM],
  blind: [],
  samples: [at(135, { canaries: { a: RED, b: RED }, metrics: metrics(137) })],
  calls: [{ kind: 'page', alert: 'TransportUnproved', seconds: 92 }],
  ...changes,
});

const CASES: readonly [what: string, changes: Partial<Facts>, falseOks: readonly string[]][] = [
  ['everybody says that it is broken, and somebody is called', {}, []],
  [
    'a canary that still calls it proved after 130 s, once per path',
    {
      samples: [at(131, { canaries: { a: RED, b: WELL } }), at(133, { canaries: { b: WELL } })],
    },
    [
      'after 131 s canary b said that a:bus:b:fcm is proved',
      'after 131 s the page of canary b said nothing but “An alert would arrive”',
    ],
  ],
  [
    'a proof that is younger than its life says so with right',
    { samples: [at(60, { canaries: { a: WELL, b: WELL }, metrics: metrics(62) })] },
    [],
  ],
  [
    'a page that says nothing bad, though its paths are not called proved',
    { samples: [at(140, { canaries: { a: view([WEB], []), b: RED } })] },
    ['after 140 s the page of canary a said nothing but “An alert would arrive”'],
  ],
  [
    'a canary that is broken may not be called well by what the other one proves',
    {
      expected: page('CanarySilent'),
      calls: [{ kind: 'page', alert: 'CanarySilent', seconds: 150 }],
      unprovable: { a: [FCM, WEB], b: [] },
      broken: [],
      blind: ['a'],
      samples: [at(150, { canaries: { a: RED, b: WELL }, metrics: metrics(20, 30) })],
    },
    [
      'after 150 s canary a said that a:bus:b:web-push is proved',
      'after 150 s the metrics said that canary a proved something 30 s ago',
    ],
  ],
  [
    'metrics that call a broken path fresh',
    { samples: [at(150, { canaries: { a: RED, b: RED }, metrics: metrics(20) })] },
    ['after 150 s the metrics said that a:bus:b:fcm was proved 20 s ago'],
  ],
  [
    'a clock ahead of time: a proof of the future is as fresh as one can be',
    { samples: [at(150, { canaries: { a: RED, b: RED }, metrics: metrics(-7050) })] },
    ['after 150 s the metrics said that a:bus:b:fcm was proved -7050 s ago'],
  ],
  ['who does not answer says nothing', { samples: [at(150, { canaries: {} })] }, []],
  ['nobody called', { calls: [] }, ['nobody was called for it within 180 s']],
  [
    'called too late',
    { calls: [{ kind: 'page', alert: 'TransportUnproved', seconds: 181 }] },
    ['nobody was called for it within 180 s'],
  ],
  [
    'a ticket where somebody has to be called',
    { calls: [{ kind: 'ticket', alert: 'CanariesDisagree', seconds: 20 }] },
    ['nobody was called for it within 180 s'],
  ],
  [
    'a page that says something else',
    { calls: [{ kind: 'page', alert: 'OneSite', seconds: 16 }] },
    ['nobody was called for it within 180 s'],
  ],
  [
    'a ticket that is expected and does not come',
    { expected: ticket(300, 'DeadManFails'), calls: [] },
    ['nobody was told within 300 s'],
  ],
  [
    'a ticket that is expected and comes',
    {
      expected: ticket(300, 'DeadManFails'),
      calls: [{ kind: 'ticket', alert: 'DeadManFails', seconds: 250 }],
    },
    [],
  ],
  [
    'what should recover by itself and does',
    {
      expected: { kind: 'recovers', alerts: [], withinSeconds: 180 },
      calls: [],
      recoveredSeconds: 120,
    },
    [],
  ],
  [
    'what should recover by itself and does not',
    { expected: { kind: 'recovers', alerts: [], withinSeconds: 180 }, calls: [] },
    ['it did not recover within 180 s, and nobody was called'],
  ],
  [
    'what nobody has to know',
    { expected: { kind: 'nobody', alerts: [], withinSeconds: 180 }, calls: [] },
    [],
  ],
];

test.each(CASES)('a false OK is found, and nothing else: %s', (_what, changes, expected) => {
  expect(falseOks(facts(changes))).toEqual(expected);
});

test('a canary of which nothing was read after 130 s is named: its silence is no proof that it said no false OK', () => {
  const samples = [
    at(60, { canaries: { a: WELL, b: WELL } }),
    at(131, { canaries: { b: RED } }),
    at(140, { canaries: {} }),
  ];
  expect(unread({ samples }, ['a', 'b'])).toEqual(['a']);
  expect(unread({ samples }, ['b'])).toEqual([]);
  expect(unread({ samples: samples.slice(0, 1) }, ['a', 'b'])).toEqual(['a', 'b']);
});

test('all is well again when each canary says so; one that does not answer says nothing', () => {
  expect(isWell({ canaries: { a: WELL, b: WELL } }, ['a', 'b'])).toBe(true);
  expect(isWell({ canaries: { a: WELL, b: RED } }, ['a', 'b'])).toBe(false);
  expect(isWell({ canaries: { a: WELL, b: view([WEB], []) } }, ['a', 'b'])).toBe(false);
  expect(isWell({ canaries: { a: WELL } }, ['a', 'b'])).toBe(false);
  expect(isWell({ canaries: {} }, ['a', 'b'])).toBe(false);
});

test('a call for nothing is a false alarm, and only where nobody has to be told', () => {
  const calls = [{ kind: 'page', alert: 'NoProof', seconds: 40 }] as const;
  const nobody = { kind: 'nobody', alerts: [], withinSeconds: 300 } as const;
  expect(falseAlarms({ expected: nobody, calls })).toEqual(['page NoProof after 40 s']);
  expect(falseAlarms({ expected: page('NoProof'), calls })).toEqual([]);
});

test('who said it first: the page, Prometheus or the pager', () => {
  const samples = [
    at(1, { canaries: { a: WELL, b: WELL }, metrics: { ...metrics(5) } }),
    at(3, { canaries: { b: WELL }, metrics: { ...metrics(5), firing: ['ProcessAtFault'] } }),
    at(5, { canaries: { a: RED, b: WELL } }),
  ];
  expect(detection({ samples, calls: [] })).toEqual({
    seconds: 3,
    by: 'Prometheus',
    said: 'ProcessAtFault',
  });
  expect(
    detection({ samples, calls: [{ kind: 'page', alert: 'OutsideWatcher', seconds: 2 }] }),
  ).toMatchObject({ seconds: 2, by: 'page' });
  expect(detection({ samples: samples.slice(2), calls: [] })).toMatchObject({
    by: 'page of canary a',
    said: 'NOTHING ARRIVES BY FCM',
  });
  expect(detection({ samples: samples.slice(0, 1), calls: [] })).toBeUndefined();
});

test.each([
  [page('NoProof'), 'page', true],
  [page('LaneUnproved'), 'page', false],
  [ticket(300, 'NoProof'), 'ticket', true],
  [page('NoProof'), 'ticket', false],
] as const)('what is expected (%j) has been told by a %s: %s', (expected, kind, told) => {
  expect(isTold({ expected, calls: [{ kind, alert: 'NoProof', seconds: 1 }] })).toBe(told);
});
