import { expect, test } from '@jest/globals';
import { TraceAnswer } from '../../../shared/trace/trace-answer.ts';
import { canaryTrace } from './canary-trace.ts';

const ID = 'a'.repeat(32);
const NODE = { node: 'a', site: 'a' };

test('a canary tells who received an alert, and how old its knowledge of the clocks is', () => {
  const answer = canaryTrace(ID, NODE, {
    traceId: 'b'.repeat(32),
    witnesses: [
      {
        alertId: ID,
        probe: 'a-web-push',
        transport: 'web-push',
        via: 'b',
        receivedAt: '2026-07-14T20:31:09.000Z',
      },
    ],
    clocks: [{ kind: 'dispatcher', name: 'b', skewMs: 7_200_000, measuredAtMs: 1_000 }],
    nowMs: 13_400,
  });
  expect(TraceAnswer.parse(answer)).toMatchObject({
    traceId: 'b'.repeat(32),
    clockSkew: [{ kind: 'dispatcher', node: 'b', skewSeconds: 7_200, ageSeconds: 12 }],
    events: [{ name: 'witnessed', attributes: { probe: 'a-web-push', node: 'b' } }],
  });
});

test('an alert that no probe has received is answered too: without a trace, without events', () => {
  const facts = { traceId: undefined, witnesses: [], clocks: [], nowMs: 0 };
  const answer = TraceAnswer.parse(canaryTrace(ID, NODE, facts));
  expect([answer.traceId, answer.events]).toEqual([undefined, []]);
});
