import { expect, test } from '@jest/globals';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { diagnose } from './diagnosis.ts';
import type { JudgedPath, MissStage } from './judge.ts';
import { allPaths } from './paths.ts';

const PATHS = allPaths(['a', 'b'], ['a', 'b']);

function judged(
  fails: (path: CanaryPath) => boolean,
  stage: MissStage = 'not-received',
): JudgedPath[] {
  return PATHS.map((path, i) => {
    const bad = fails(path);
    const silenceMs = bad ? 200_000 + i : 10_000;
    return {
      path,
      state: bad ? 'unproved' : 'proved',
      ageMs: silenceMs,
      silenceMs,
      latencyMs: 300,
      consecutiveMisses: bad ? 3 : 0,
      lastResult: bad ? { kind: 'missed', stage } : { kind: 'proved', latencyMs: 300 },
    };
  });
}

const commons = (fails: (path: CanaryPath) => boolean) =>
  diagnose(judged(fails)).map(({ common }) => common);

test('nothing to say while every path is proved', () => {
  expect(commons(() => false)).toEqual([]);
});

test.each<[string, (path: CanaryPath) => boolean, Partial<CanaryPath>[]]>([
  ['a dead dispatcher', (p) => p.dispatcher === 'b', [{ dispatcher: 'b' }]],
  ['a black-holed provider', (p) => p.transport === 'fcm', [{ transport: 'fcm' }]],
  ['a dead ingest', (p) => p.ingest === 'a', [{ ingest: 'a' }]],
  ['a dead bus', (p) => p.lane === 'bus', [{ lane: 'bus' }]],
  [
    'a revoked key on one node',
    (p) => p.dispatcher === 'b' && p.transport === 'fcm',
    [{ dispatcher: 'b', transport: 'fcm' }],
  ],
  [
    'two causes at once',
    (p) => p.dispatcher === 'b' || p.transport === 'fcm',
    [{ dispatcher: 'b' }, { transport: 'fcm' }],
  ],
  [
    'one path alone',
    (p) => p.ingest === 'a' && p.lane === 'bus' && p.dispatcher === 'a' && p.transport === 'fcm',
    [{ dispatcher: 'a', transport: 'fcm', ingest: 'a', lane: 'bus' }],
  ],
  ['everything', () => true, [{}]],
])('%s is named by what its paths have in common', (_what, fails, expected) => {
  expect(commons(fails)).toEqual(expected);
});

test('a finding lasts as long as its youngest failure, counts its paths and says where they end', () => {
  expect(diagnose(judged((p) => p.dispatcher === 'b', 'ingest-refused'))).toEqual([
    { common: { dispatcher: 'b' }, paths: 8, forMs: 200_002, stage: 'ingest-refused' },
  ]);
});

test('a path that was never measured fails like any other', () => {
  const paths = judged(() => false).map((each) =>
    each.path.transport === 'fcm' ? { ...each, state: 'not-measured' as const } : each,
  );
  expect(diagnose(paths).map(({ common }) => common)).toEqual([{ transport: 'fcm' }]);
});

test('every failing path is covered by some finding, whatever the pattern', () => {
  for (let pattern = 0; pattern < 2 ** 16; pattern += 257) {
    const paths = judged(() => false).map((each, i) =>
      pattern & (1 << i) ? { ...each, state: 'unproved' as const } : each,
    );
    const findings = diagnose(paths);
    for (const { path, state } of paths) {
      const covered = findings.some(({ common }) =>
        Object.entries(common).every(([part, value]) => path[part as keyof CanaryPath] === value),
      );
      expect(covered).toBe(state === 'unproved');
    }
  }
});
