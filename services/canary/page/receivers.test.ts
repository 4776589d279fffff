import { expect, test } from '@jest/globals';
import { judgePath, newPathRecord, recordRound, summarize } from '../judge.ts';
import type { ReceiverKind, ReceiverState } from '../receivers/receiver-log.ts';
import { receiverFaults, receiverSection } from './receivers.ts';
import { textsFor } from './texts.ts';

const TIMETABLE = { periodMs: 60_000, limitMs: 10_000 };
const PATH = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'web-push' } as const;

function summaryAt(ageMs: number) {
  const proved = recordRound(newPathRecord(PATH, 0), { kind: 'proved', latencyMs: 1 }, 0);
  return summarize([judgePath(proved, ageMs, TIMETABLE)]);
}

const receiver = (kind: ReceiverKind, ageMs: number, label?: string): ReceiverState => ({
  name: `a-${kind}`,
  kind,
  label,
  state: ageMs > 150_000 ? 'unproved' : 'proved',
  ageMs,
  silenceMs: ageMs,
  latencyMs: 340,
});

const model = (receivers: readonly ReceiverState[], pathAgeMs = 4_000) => ({
  receivers,
  language: 'fr' as const,
  timetable: TIMETABLE,
  summary: summaryAt(pathAgeMs),
});
const textOf = (markup: string) =>
  markup
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('\u00a0', ' ')
    .replaceAll(/\s+/g, ' ');

test('each receiver has a card with its age, and the limits by which the page lets it grow old', () => {
  const { markup } = receiverSection(
    model([receiver('unified-push', 7_000), receiver('browser', 212_000, 'Standard <Nice>')]),
    textsFor('fr'),
  );
  expect(textOf(markup)).toContain('UnifiedPush (service auto-hébergé)');
  expect(textOf(markup)).toContain('il y a 7 s');
  expect(markup).toContain('data-proved-ms="90000" data-late-ms="150000"');
  expect(markup).toContain('Standard &lt;Nice&gt; (a-browser)');
});

test('P5: a dead UnifiedPush service is named, with its age and its runbook, while every path is proved', () => {
  const faults = receiverFaults(model([receiver('unified-push', 151_000)]));
  expect(faults.map(({ says, runbook }) => [textOf(says.markup), runbook])).toEqual([
    [
      expect.stringContaining(
        'Récepteur muet : UnifiedPush (service auto-hébergé) a-unified-push, depuis',
      ),
      'receiver-silent',
    ],
  ]);
});

test('the receivers that prove paths are the matrix’s to tell; when nothing is proved the headline says it', () => {
  expect(receiverFaults(model([receiver('autopush', 200_000), receiver('fcm', 200_000)]))).toEqual(
    [],
  );
  expect(receiverFaults(model([receiver('unified-push', 200_000)], 200_000))).toEqual([]);
  expect(receiverFaults(model([receiver('unified-push', 150_000)]))).toEqual([]);
});
