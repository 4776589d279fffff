import { expect, test } from '@jest/globals';
import { contestPlot } from '../report/plot.ts';
import { contestTable } from '../report/tables.ts';
import { runContest } from './run-contest.ts';

const SHORT = { rounds: 1, scale: 0.02, limitMs: 10_000, onProgress: () => undefined };

test('contenders of both kinds of contest do their job, and the table and plot name each with its figures', async () => {
  const contests = [
    await runContest('encryption300', { ...SHORT, only: /^ours, fresh/ }),
    await runContest('fcm1', { ...SHORT, only: /^ours, framed, 6/ }),
  ];
  for (const contest of contests) {
    expect(contest.failures).toEqual([]);
    expect(contest.results).toHaveLength(2);
    const plot = contestPlot(contest, 'plot.svg');
    for (const { contender, cpuMicrosPerMessage } of contest.results) {
      expect(cpuMicrosPerMessage.median).toBeGreaterThan(0);
      expect(contestTable(contest)).toContain(`| ${contender} `);
      expect(plot.svg).toContain(`>${contender}<`);
    }
  }
}, 60_000);
