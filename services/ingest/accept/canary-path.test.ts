import { expect, test } from '@jest/globals';
import { canaryRound } from './canary-path.ts';

const PATH = 'tocsin-path:a:direct:b:web-push';
const NONCE = 'tocsin-nonce:abcdefgh12345678';

test('P6: a Test names its path and nonce', () => {
  expect(canaryRound({ status: 'Test', code: ['other', PATH, NONCE] }, 'a')).toEqual({
    ok: true,
    round: {
      path: { ingest: 'a', lane: 'direct', dispatcher: 'b', transport: 'web-push' },
      nonce: 'abcdefgh12345678',
    },
  });
});

test('P6: an Actual alert has no canary path, and may not pretend to', () => {
  expect(canaryRound({ status: 'Actual', code: ['profile:fr'] }, 'a')).toEqual({
    ok: true,
    round: undefined,
  });
  expect(canaryRound({ status: 'Actual', code: [NONCE] }, 'a')).toMatchObject({ ok: false });
  expect(canaryRound({ status: 'Exercise', code: [PATH] }, 'a')).toMatchObject({ ok: false });
});

test.each<[string, string[], number]>([
  ['no codes at all', [], 2],
  ['no nonce', [PATH], 1],
  ['two paths', [PATH, PATH, NONCE], 1],
  ['another ingest’s path', ['tocsin-path:b:bus:b:fcm', NONCE], 1],
  ['an unknown lane', ['tocsin-path:a:pigeon:b:fcm', NONCE], 1],
  ['a path with too many parts', ['tocsin-path:a:bus:b:fcm:x', NONCE], 1],
  ['a short nonce', [PATH, 'tocsin-nonce:abc'], 1],
])('P6: a Test with %s is refused', (_what, code, problems) => {
  const result = canaryRound({ status: 'Test', code }, 'a');
  expect(result.ok ? [] : result.problems).toHaveLength(problems);
});
