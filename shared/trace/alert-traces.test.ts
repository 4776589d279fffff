import { expect, test } from '@jest/globals';
import { AlertTraces, type Span } from './alert-traces.ts';
import { TraceEvent } from './trace-answer.ts';

const ORIGIN = { traceId: 'a'.repeat(32), parentSpanId: 'b'.repeat(16), sampled: true };

function traces() {
  let nowMs = Date.parse('2026-07-14T20:31:08Z');
  let spans = 0;
  const ended: Span[] = [];
  return {
    ended,
    pass: (ms: number) => {
      nowMs += ms;
    },
    traces: new AlertTraces({
      now: () => nowMs,
      newSpanId: () => String(++spans).padStart(16, '0'),
      onSpan: (span) => ended.push(span),
    }),
  };
}

test('an alert begins once: its second copy changes nothing, and log lines carry both ids', () => {
  const { traces: of } = traces();
  expect(of.logFields('alert')).toEqual({ alertId: 'alert' });
  const context = of.begin('alert', 'public', ORIGIN);
  expect(of.begin('alert', 'public', { traceId: 'c'.repeat(32), sampled: false })).toEqual(context);
  expect(of.logFields('alert')).toEqual({ alertId: 'alert', traceId: ORIGIN.traceId });
});

test('what happens again is counted, with the first and the last instant', () => {
  const { traces: of, pass } = traces();
  of.begin('alert', 'public', ORIGIN);
  of.note('alert', 'arrived', { lane: 'bus' });
  of.note('alert', 'retried', { transport: 'fcm' }, 200);
  pass(1_500);
  of.note('alert', 'retried', { transport: 'fcm' }, 50);
  const events = of.events('alert');
  expect(events).toEqual([
    { at: '2026-07-14T20:31:08.000Z', name: 'arrived', attributes: { lane: 'bus' } },
    {
      at: '2026-07-14T20:31:08.000Z',
      name: 'retried',
      attributes: { transport: 'fcm', count: 250, lastAt: '2026-07-14T20:31:09.500Z' },
    },
  ]);
  for (const event of events) TraceEvent.parse(event);
});

test('P12: so many alerts are kept and no more, and tests never push out people’s', () => {
  const { traces: of } = traces();
  for (let i = 0; i < 250; i++) of.begin(`public-${i}`, 'public', ORIGIN);
  for (let i = 0; i < 5_000; i++) of.begin(`test-${i}`, 'canary', ORIGIN);
  expect(of.contextOf('public-49')).toBeUndefined();
  expect(of.contextOf('public-50')).toBeDefined();
  expect(of.contextOf('test-4949')).toBeUndefined();
  expect(of.contextOf('test-4950')).toBeDefined();
});

test('P12: of one alert only so many different things are kept, and of one that is unknown nothing', () => {
  const { traces: of } = traces();
  of.note('stranger', 'device-receipt', {});
  expect(of.events('stranger')).toEqual([]);
  of.begin('alert', 'public', ORIGIN);
  for (let i = 0; i < 1_000; i++) of.note('alert', 'witnessed', { probe: `probe-${i}` });
  expect(of.events('alert')).toHaveLength(100);
});

test('spans: the service’s own one under the hop’s, pieces of work under it, each told once', () => {
  const { traces: of, ended, pass } = traces();
  const own = of.begin('alert', 'public', ORIGIN, 'accept');
  const lane = of.child('alert', 'lane bus');
  pass(20);
  lane.end({ target: 'bus' }, false);
  lane.end();
  pass(10);
  of.end('alert', { result: 'one-site' });
  of.end('alert');
  expect(lane.context).toEqual({ ...own, spanId: '0000000000000002' });
  expect(ended).toMatchObject([
    { name: 'lane bus', parentSpanId: own.spanId, ok: false, attributes: { target: 'bus' } },
    { name: 'accept', parentSpanId: ORIGIN.parentSpanId, spanId: own.spanId, ok: true },
  ]);
  expect(ended.map(({ startMs, endMs }) => endMs - startMs)).toEqual([20, 30]);
  expect(of.child('stranger', 'lane bus').context).toBeUndefined();
});
