import { expect, test } from '@jest/globals';
import { type JudgedPath, judgePath, newPathRecord, recordRound } from '../judge.ts';
import { allPaths } from '../paths.ts';
import { countMinute, type DeviceDay, minuteOf, shownDays } from './device-days.ts';

const NOW = Date.UTC(2026, 6, 14, 20, 31, 7);
const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
/** Paths whose last proof is so many seconds old, by transport; undefined: never. */
function paths(ages: { fcm: number | undefined; 'web-push': number | undefined }): JudgedPath[] {
  return allPaths(['a'], ['a']).map((path) => {
    const fresh = newPathRecord(path, NOW - 600_000);
    const age = ages[path.transport];
    const record =
      age === undefined
        ? fresh
        : recordRound(fresh, { kind: 'proved', latencyMs: 300 }, NOW - age * 1000);
    return judgePath(record, NOW, TIMETABLE);
  });
}

test('P5: a minute is proved by a fresh proof only; late is not proved, never proved is not measured', () => {
  const judged = paths({ fcm: 4, 'web-push': 120 });
  expect(minuteOf(judged, 'fcm')).toBe(true);
  expect(minuteOf(judged, 'web-push')).toBe(false);
  expect(minuteOf(paths({ fcm: undefined, 'web-push': 4 }), 'fcm')).toBeUndefined();
});

test('each minute is counted once, also when a clock is set back', () => {
  const judged = paths({ fcm: 4, 'web-push': 300 });
  let days: DeviceDay[] = countMinute([], judged, NOW);
  expect(days).toMatchObject([
    { day: '2026-07-14', transport: 'fcm', proved: 1, unproved: 0 },
    { day: '2026-07-14', transport: 'web-push', proved: 0, unproved: 1 },
  ]);
  expect(countMinute(days, judged, NOW + 40_000)).toEqual([]);
  expect(countMinute(days, judged, NOW - 3_600_000)).toEqual([]);
  days = countMinute(days, judged, NOW + 60_000);
  expect(days.map(({ proved, unproved }) => proved + unproved)).toEqual([2, 2]);
});

test('thirty days are shown; a minute that nobody counted is not measured, today only up to now', () => {
  const days: DeviceDay[] = [
    { day: '2026-07-13', transport: 'fcm', proved: 1400, unproved: 12, lastMinute: 0 },
    { day: '2026-07-14', transport: 'fcm', proved: 1230, unproved: 0, lastMinute: 0 },
    { day: '2026-07-14', transport: 'web-push', proved: 5, unproved: 0, lastMinute: 0 },
  ];
  const shown = shownDays(days, 'fcm', NOW);
  expect(shown).toHaveLength(30);
  expect(shown[0]).toEqual({
    day: '2026-06-15',
    provedMinutes: 0,
    unprovedMinutes: 0,
    notMeasuredMinutes: 1440,
  });
  expect(shown.slice(-2)).toEqual([
    { day: '2026-07-13', provedMinutes: 1400, unprovedMinutes: 12, notMeasuredMinutes: 28 },
    { day: '2026-07-14', provedMinutes: 1230, unprovedMinutes: 0, notMeasuredMinutes: 1 },
  ]);
});
