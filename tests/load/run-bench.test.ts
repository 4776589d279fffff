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

test('P12: a run ends at its limit, with an error, whoever has not answered by then', async () => {
  const options = { rounds: 1, scale: 1_000, limitMs: 1_500, onProgress: () => undefined };
  const startedMs = performance.now();
  await expect(runBench(options)).rejects.toThrow(/timeout/);
  expect(performance.now() - startedMs).toBeLessThan(8_000);
}, 20_000);
