import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { beginRunLog, noteRun, type RunRecord, readRunLog } from './run-log.ts';

test('an interrupted matrix is taken up from its log, without a line that was cut short', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-run-log-'));
  try {
    const file = join(folder, 'reports/runs.jsonl');
    expect(readRunLog(file)).toBeUndefined();
    const head = { seed: 'abc', startedAt: '2026-11-22T00:00:00.000Z' };
    const kept: RunRecord = {
      row: 'F1',
      run: 0,
      tookMs: 12,
      played: { alerts: [], broken: [], figures: { refused: 1 } },
      problems: [],
    };
    const unplayed: RunRecord = { row: 'F1', run: 1, tookMs: 5, problems: ['not played: why'] };
    beginRunLog(file, head);
    noteRun(file, kept);
    noteRun(file, unplayed);
    appendFileSync(file, '{"row":"F1","run":2,"took');
    expect(readRunLog(file)).toEqual({ head, runs: [kept, unplayed] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
