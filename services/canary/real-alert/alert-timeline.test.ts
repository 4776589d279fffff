import { expect, test } from '@jest/globals';
import { TimingTally } from '../../../shared/receipt/accept-timing.ts';
import type { TransportProgress } from '../../../shared/receipt/progress.ts';
import {
  AlertTimeline,
  firstWitnesses,
  fullerTimelines,
  lacksWitnesses,
  transportTimelines,
  witnessedAfterMs,
} from './alert-timeline.ts';

const ID = '0123456789abcdef0123456789abcdef';
const NOW = Date.UTC(2026, 6, 14, 20, 31, 7);
const timing = (...ms: number[]) => {
  const tally = new TimingTally();
  for (const each of ms) tally.add(each);
  if (!tally.timing) throw new Error('no times');
  return tally.timing;
};
const part = (changes: Partial<TransportProgress>): TransportProgress => ({
  audience: 100,
  counts: { accepted: 50, gone: 0, rejected: 0, dropped: 0 },
  pending: 0,
  shardsTotal: 16,
  shardsOwn: 8,
  shardsByPeers: 8,
  acceptedKnown: 90,
  firstAcceptedAt: null,
  lastAcceptedAt: null,
  ...changes,
});

test('people are not counted twice, and a node is counted by its newest word, also through its peers', () => {
  const merged = transportTimelines([
    {
      transports: {
        fcm: part({ acceptedKnown: 95, pending: 1, timings: { a: timing(100, 900) } }),
      },
    },
    {
      transports: {
        fcm: part({ audience: 101, timings: { a: timing(100), b: timing(200, 3_000) } }),
      },
    },
  ]);
  expect(merged).toMatchObject([
    {
      transport: 'fcm',
      audience: 101,
      accepted: 95,
      pending: 1,
      after: { firstMs: 100, lastMs: 3_000 },
    },
  ]);
  expect(transportTimelines([{ transports: { fcm: part({}) } }])[0]?.after).toBeUndefined();
  expect(transportTimelines([])).toEqual([]);
});

const witness = (probe: string, afterMs: number) => ({
  alertId: ID,
  probe,
  transport: 'fcm' as const,
  via: 'a',
  receivedAt: new Date(NOW + afterMs).toISOString(),
});
const alert = (changes: Partial<AlertTimeline> = {}): AlertTimeline => ({
  id: ID,
  headlines: { fr: 'x' },
  status: 'Actual',
  msgType: 'Alert',
  senderName: 'x',
  sent: '2026-07-14T22:31:07+02:00',
  acceptedAtMs: NOW,
  transports: [],
  witnesses: [witness('a', 400), witness('b', 1_100)],
  probes: 2,
  ...changes,
});

test('a probe that two canaries speak of is one witness, at its first receipt', () => {
  const all = [witness('b', 1_100), witness('a', 900), witness('a', 400)];
  expect(firstWitnesses(all)).toEqual([witness('a', 400), witness('b', 1_100)]);
  expect(witnessedAfterMs(alert())).toBe(1_100);
  const { acceptedAtMs: _unknown, ...unknown } = alert();
  expect(witnessedAfterMs(unknown)).toBeUndefined();
  expect(witnessedAfterMs(alert({ witnesses: [] }))).toBeUndefined();
});

test.each<[string, Partial<AlertTimeline>, number, boolean]>([
  ['all probes have it', {}, 120_000, false],
  ['one lacks it after two minutes', { probes: 3 }, 120_000, true],
  ['one lacks it after ten seconds', { probes: 3 }, 10_000, false],
  ['nobody has it and no probe is known', { witnesses: [], probes: 0 }, 120_000, true],
  ['one lacks it since the day before yesterday', { probes: 3 }, 2 * 86_400_000, false],
])('P5: witnesses are missed when due: %s', (_what, changes, ageMs, expected) => {
  expect(lacksWitnesses(alert(changes), NOW + ageMs)).toBe(expected);
});

test('what is kept on disk is read again as it was', () => {
  expect(AlertTimeline.parse(JSON.parse(JSON.stringify(alert())))).toEqual(alert());
});

test('a dispatcher that was started again and knows less takes nothing back', () => {
  const told = (transport: 'fcm' | 'web-push', accepted: number) => ({
    transport,
    audience: accepted,
    accepted,
    pending: 0,
  });
  const before = [told('fcm', 202), told('web-push', 206)];
  expect(fullerTimelines(before, [told('fcm', 113), told('web-push', 207)])).toEqual([
    told('fcm', 202),
    told('web-push', 207),
  ]);
  expect(fullerTimelines(before, [])).toEqual(before);
  expect(fullerTimelines([], before)).toEqual(before);
});
