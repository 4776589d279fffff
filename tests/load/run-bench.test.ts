import { expect, test } from '@jest/globals';
import { resultTable } from './print-results.ts';
import { runBench } from './run-bench.ts';

test('every contender of the benchmark does its job, and the table names each with its figures', async () => {
  const contests = await runBench({
    ...{ rounds: 1, scale: 0.02, limitMs: 30_000 },
    onProgress: () => undefined,
  });
  expect(Object.keys(contests)).toEqual(['webPushEncryption', 'fcmHandOver']);
  for (const contest of Object.values(contests)) {
    expect(contest.results.length).toBeGreaterThan(2);
    for (const { contender, cpuMicrosPerMessage } of contest.results) {
      expect(cpuMicrosPerMessage.median).toBeGreaterThan(0);
      expect(resultTable(contest)).toContain(`| ${contender} `);
    }
  }
}, 60_000);
