import { expect, test } from '@jest/globals';
import {
  answerFault,
  connectionFault,
  Faults,
  isSwallowed,
  latencyOf,
  ProviderFaults,
} from './faults.ts';

const faults = (changes: Partial<ProviderFaults>) => ProviderFaults.parse(changes);

test('an empty body turns every switch off', () => {
  expect(Faults.parse({})).toEqual({
    fcm: faults({}),
    webPush: faults({}),
    unifiedPush: { down: false, blackHole: false },
  });
  for (let i = 0; i < 100; i++) {
    expect(connectionFault(faults({}), i + 1)).toBe('none');
    expect(answerFault(faults({}), `address-${i}`, i / 100)).toBe('none');
  }
  expect(latencyOf(faults({}), 0.9)).toBe(0);
});

test('a misspelt switch, a share above 1 and an unknown status are refused', () => {
  for (const wrong of [{ blackhole: true }, { goneShare: 1.1 }, { status5xx: 504 }, { hang: 1 }])
    expect(Faults.safeParse({ fcm: wrong }).success).toBe(false);
});

test.each([
  [{ resetEvery: 3 }, 3, 'reset'],
  [{ resetEvery: 3 }, 4, 'none'],
  [{ goawayEvery: 2 }, 4, 'goaway'],
  [{ goawayEvery: 2 }, 5, 'none'],
  [{ hang: true }, 1, 'hang'],
  [{ hang: true, goawayEvery: 1 }, 1, 'hang'],
  [{ resetEvery: 1, hang: true }, 1, 'reset'],
  [{ abruptGoawayEvery: 3 }, 6, 'abrupt-goaway'],
  [{ abruptGoawayEvery: 3 }, 5, 'none'],
  [{ abruptGoawayEvery: 2, goawayEvery: 1 }, 2, 'abrupt-goaway'],
  [{ abruptGoawayEvery: 2, goawayEvery: 1 }, 3, 'goaway'],
] as const)('the connection: %j at request %i is %s', (switches, count, expected) => {
  expect(connectionFault(faults(switches), count)).toBe(expected);
});

test.each([
  [{ reject429Share: 0.2 }, 0.19, 'throttled'],
  [{ reject429Share: 0.2 }, 0.2, 'none'],
  [{ status5xxShare: 0.3 }, 0.29, 'failed'],
  [{ reject429Share: 0.2, status5xxShare: 0.3 }, 0.49, 'failed'],
  [{ reject429Share: 0.2, status5xxShare: 0.3 }, 0.5, 'none'],
  [{ goneShare: 1, status5xxShare: 1 }, 0, 'gone'],
] as const)('the answer: %j with a throw of %d is %s', (switches, random, expected) => {
  expect(answerFault(faults(switches), 'address', random)).toBe(expected);
});

test('who is gone stays gone: the share hangs on the address, not on the throw', () => {
  const gone = (address: string, random: number) =>
    answerFault(faults({ goneShare: 0.3 }), address, random) === 'gone';
  const addresses = Array.from({ length: 1000 }, (_, i) => `address-${i}`);
  const first = addresses.filter((address) => gone(address, 0));
  expect(addresses.filter((address) => gone(address, 0.99))).toEqual(first);
  expect(first.length).toBeGreaterThan(230);
  expect(first.length).toBeLessThan(370);
});

test('latency is the fixed part plus a share of the jitter', () => {
  expect(latencyOf(faults({ latencyMs: 100, latencyJitterMs: 50 }), 0.5)).toBe(125);
});

test.each([
  [{}, 'a', false],
  [{ blackHole: true }, undefined, true],
  [{ blackHoleNode: 'a' }, 'a', true],
  [{ blackHoleNode: 'a' }, 'b', false],
  [{ blackHoleNode: 'a' }, undefined, false],
] as const)('a black hole: %j swallows what comes from %s: %s', (switches, via, expected) => {
  expect(isSwallowed(faults(switches), via)).toBe(expected);
});
