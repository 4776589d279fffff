import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { playRow } from './harness/play-row.ts';
import { Stage } from './harness/stage.ts';
import { ROWS } from './rows.ts';

// The rows of the fault matrix that are quick, a few runs each. `make faults` plays all of them, many times.
const seed = process.env['SEED'] || randomBytes(4).toString('hex');
const say = (line: string) => process.stdout.write(`${line}\n`);
const stage = new Stage({ say });
afterAll(() => stage.clear(), 60_000);

test.each(ROWS.filter(({ runs }) => runs.short > 0))(
  '$id: $title: $promise',
  async (row) => {
    const result = await playRow(row, stage, { runs: row.runs.short, seed });
    if (result.skipped !== undefined) say(`  ${row.id} is skipped: it ${result.skipped}`);
    expect({ seed, broken: result.broken }).toEqual({ seed, broken: [] });
  },
  180_000,
);
