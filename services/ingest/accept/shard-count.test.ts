import { expect, test } from '@jest/globals';
import { shardCount } from './shard-count.ts';

test.each([
  [0, 1],
  [1, 1],
  [15, 1],
  [16, 4],
  [127, 4],
  [128, 16],
  [2_000, 16],
  [32_000, 16],
  [32_001, 32],
  [200_000, 128],
  [1_000_000, 512],
  [2_048_000, 1024],
  [70_000_000, 1024],
])(
  'P2: an audience of %i is cut into %i shards, so that two nodes can share it',
  (audience, shards) => {
    expect(shardCount(audience)).toBe(shards);
  },
);
