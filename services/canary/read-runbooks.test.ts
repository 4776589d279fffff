import { expect, test } from '@jest/globals';
import { diagnose } from './diagnosis.ts';
import { judgePath, newPathRecord, recordRound } from './judge.ts';
import { runbookOf } from './page/dead-section.ts';
import { allPaths } from './paths.ts';
import { readRunbooks } from './read-runbooks.ts';

test('every cause that the on-call page can name has its runbook', () => {
  const runbooks = readRunbooks();
  const causes = [
    (_: string) => true,
    (name: string) => name.includes('fcm'),
    (name: string) => name.includes('dispatcher b'),
    (name: string) => name.includes('ingest a'),
    (name: string) => name.includes('direct'),
    (name: string) => name.includes('dispatcher b') && name.includes('fcm'),
  ];
  const names = causes.flatMap((fails) => {
    const judged = allPaths(['a', 'b'], ['a', 'b']).map((path) => {
      const fresh = newPathRecord(path, 0);
      const name = `ingest ${path.ingest} ${path.lane} dispatcher ${path.dispatcher} ${path.transport}`;
      const record = fails(name) ? fresh : recordRound(fresh, { kind: 'proved', latencyMs: 1 }, 0);
      return judgePath(record, 1_000, { periodMs: 60_000, limitMs: 10_000 });
    });
    return diagnose(judged).map(runbookOf);
  });
  expect(names).toEqual([
    'no-proof',
    'transport-unproved',
    'dispatcher-unproved',
    'ingest-unproved',
    'lane-unproved',
    'route-unproved',
  ]);
  for (const name of [...names, 'process-at-fault'])
    expect(runbooks.get(name)).toMatch(/^# .+\n\n\*\*En bref\.\*\* /);
});
