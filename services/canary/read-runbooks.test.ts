import { expect, test } from '@jest/globals';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { diagnose } from './diagnosis.ts';
import { judgePath, newPathRecord, recordRound } from './judge.ts';
import { runbookOf } from './page/dead-section.ts';
import { renderPage } from './page/page.ts';
import { allPaths } from './paths.ts';
import { readRunbooks } from './read-runbooks.ts';
import { samplePage } from './test-support/sample-page.ts';

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

test('each link to a runbook, on a page on which everything is broken, leads to one that is there', () => {
  const NOW = Date.parse('2026-07-14T20:31:07Z');
  const at = (agoMs: number) => new Date(NOW - agoMs).toISOString();
  const DAY_MS = 86_400_000;
  const { timetable } = samplePage(NOW);
  const [path] = allPaths(['a'], ['a']);
  if (!path) throw new Error('no path');
  const silent = { state: 'unproved', ageMs: null, silenceMs: DAY_MS, latencyMs: null } as const;
  const parts = ['ingest', 'dispatcher', 'edge', 'bus', 'probe', 'canary'] as const;
  const commons: Partial<CanaryPath>[] = [
    {},
    { transport: 'fcm' },
    { dispatcher: 'b' },
    { ingest: 'a' },
    { lane: 'bus' },
    { dispatcher: 'b', transport: 'fcm' },
  ];
  const credential = { kind: 'push-key', where: 'dispatcher a' } as const;
  const drill = {
    v: 1,
    startedAt: at(DAY_MS),
    endedAt: at(DAY_MS),
    measures: {},
    by: 'x',
  } as const;
  const page = renderPage(
    samplePage(NOW, {
      findings: commons.map((common) => ({ common, paths: 1, forMs: 200_000, stage: undefined })),
      dead: parts.map((kind) => ({ kind, name: 'a', answered: false, sinceMs: NOW - 60_000 })),
      receivers: [{ name: 'a-unified-push', kind: 'unified-push', label: undefined, ...silent }],
      stored: {
        probe: 'a-stored',
        judged: judgePath(newPathRecord(path, 0), NOW, timetable),
        timetable,
      },
      refusals: {
        kinds: [
          { kind: 'forged', accepted: 1, ...silent },
          { kind: 'expired', accepted: 0, ...silent },
        ],
        timetable,
      },
      clocks: [{ kind: 'edge', name: 'a', skewMs: 7_200_000, measuredAtMs: NOW }],
      realAlert: {
        id: '0'.repeat(32),
        headlines: { fr: 'x' },
        status: 'Actual',
        msgType: 'Alert',
        senderName: 'x',
        sent: at(120_000),
        transports: [],
        witnesses: [],
        probes: 4,
      },
      credentials: [
        { name: 'refused', ...credential, lastRefusedAt: at(1_000) },
        { name: 'soon', ...credential, expiresAt: at(-DAY_MS) },
        { name: 'later', ...credential, expiresAt: at(-10 * DAY_MS) },
      ],
      drills: [{ kind: 'restart', ok: false, ...drill }],
    }),
  );
  const linked = [...page.matchAll(/href="\/runbooks\/([^"?]+)/g)].map(([, name]) => name);
  expect([...new Set(linked)].sort()).toEqual([
    'alert-not-witnessed',
    'bus-unhealthy',
    'canary-silent',
    'clock-skew',
    'credential-ends',
    'credential-ends-soon',
    'credential-refused',
    'dispatcher-unproved',
    'drill-failed',
    'drill-overdue',
    'ingest-unproved',
    'lane-unproved',
    'negative-canary-shown',
    'negative-canary-silent',
    'no-proof',
    'process-at-fault',
    'receiver-silent',
    'route-unproved',
    'stored-path-unproved',
    'transport-unproved',
  ]);
  const runbooks = readRunbooks();
  expect(linked.filter((name = '') => !runbooks.has(name))).toEqual([]);
});
