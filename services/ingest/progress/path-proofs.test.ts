import { expect, test } from '@jest/globals';
import type { PathProof } from '../../../shared/receipt/proof.ts';
import { createPathProofs } from './path-proofs.ts';

const path = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } as const;
const proof = (ageMs: number, changes: Partial<PathProof['path']> = {}): PathProof => ({
  path: { ...path, ...changes },
  ageMs,
  latencyMs: 5,
});

function setUp() {
  const now = { ms: 1_000_000 };
  const proofs = createPathProofs({ ingests: ['a'], dispatchers: ['a'], clock: () => now.ms });
  const stateOf = () =>
    proofs
      .routes()
      .routes.find(({ path: each }) => each.lane === 'bus' && each.transport === 'fcm');
  return { now, proofs, stateOf };
}

test('P5: a path that nobody ever proved is listed, as unproved', () => {
  const { proofs, stateOf } = setUp();
  expect(proofs.routes().routes).toHaveLength(4);
  expect(stateOf()).toMatchObject({ ageSeconds: null, state: 'unproved' });
});

test('P5: a proof ages by our own clock and stops counting after 150 s', () => {
  const { now, proofs, stateOf } = setUp();
  proofs.record({ v: 1, canary: 'a', proofs: [proof(10_000)] });
  expect(stateOf()).toMatchObject({ ageSeconds: 10, state: 'proved' });
  now.ms += 139_999;
  expect(stateOf()).toMatchObject({ ageSeconds: 149, state: 'proved' });
  now.ms += 1;
  expect(stateOf()).toMatchObject({ ageSeconds: 150, state: 'unproved' });
});

test('of two canaries the younger proof counts', () => {
  const { proofs, stateOf } = setUp();
  proofs.record({ v: 1, canary: 'a', proofs: [proof(10_000)] });
  proofs.record({ v: 1, canary: 'b', proofs: [proof(60_000)] });
  expect(stateOf()).toMatchObject({ ageSeconds: 10 });
});

test('P12: paths are bounded, whatever is reported', () => {
  const { proofs } = setUp();
  for (let i = 0; i < 2_000; i++)
    proofs.record({ v: 1, canary: 'a', proofs: [proof(0, { dispatcher: `n${i}` })] });
  expect(proofs.routes().routes).toHaveLength(1_000);
});
