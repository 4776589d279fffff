import { expect, test } from '@jest/globals';
import {
  formatTraceparent,
  fromShortTraceId,
  issuedAtOfJws,
  originOfEnvelope,
  originOfRequest,
  parseTraceparent,
  randomSpanId,
  receiptTrace,
  shortTraceId,
  traceOfJws,
} from './trace-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const GOOD = `00-${TRACE}-${SPAN}-01`;
const ALERT = 'f'.repeat(32);

test('a traceparent of version 00 is read and written again as it was', () => {
  expect(parseTraceparent(GOOD)).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true });
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
  // Section 3.2.2.5: only the lowest bit is known, the others are passed over and not written.
  expect(parseTraceparent(`00-${TRACE}-${SPAN}-ff`)?.sampled).toBe(true);
  for (const flags of ['00', '01']) {
    const header = `00-${TRACE}-${SPAN}-${flags}`;
    const parsed = parseTraceparent(header);
    expect(parsed && formatTraceparent(parsed)).toBe(header);
  }
});

test.each([
  ['nothing', undefined],
  ['not a text', 7],
  ['empty', ''],
  ['a later version', GOOD.replace('00-', '01-')],
  ['the forbidden version', GOOD.replace('00-', 'ff-')],
  ['more after it', `${GOOD}-more`],
  ['a line break after it', `${GOOD}\n`],
  ['two of them in one header', `${GOOD}, ${GOOD}`],
  ['upper case', GOOD.toUpperCase()],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['a span id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['a letter that is no digit', GOOD.replace('0af', '0ag')],
  ['a megabyte', '0'.repeat(1_000_000)],
])('a bad traceparent is none, never an error: %s', (_what, header) => {
  expect(parseTraceparent(header)).toBeUndefined();
});

test('a request without a trace gets one by the alert’s own id, the same at every ingest', () => {
  expect(originOfRequest(ALERT, undefined)).toEqual({ traceId: ALERT, sampled: true });
  expect(originOfRequest(ALERT, parseTraceparent(GOOD))).toEqual({
    traceId: TRACE,
    parentSpanId: SPAN,
    sampled: true,
  });
});

test('what was signed says which trace it is; the hop’s header only which send brought it', () => {
  const hopSpan = '1'.repeat(16);
  const envelope = { id: ALERT, trace: GOOD };
  const origin = { traceId: TRACE, sampled: true };
  expect(originOfEnvelope(envelope, undefined)).toEqual({ ...origin, parentSpanId: SPAN });
  expect(originOfEnvelope(envelope, `00-${TRACE}-${hopSpan}-01`)).toEqual({
    ...origin,
    parentSpanId: hopSpan,
  });
  expect(originOfEnvelope(envelope, `00-${'a'.repeat(32)}-${hopSpan}-01`)).toEqual({
    ...origin,
    parentSpanId: SPAN,
  });
  for (const trace of [undefined, 'nonsense'])
    expect(originOfEnvelope({ id: ALERT, trace }, undefined)).toEqual({
      traceId: ALERT,
      sampled: true,
    });
});

test('a device message names a trace in 22 characters', () => {
  expect(shortTraceId(TRACE)).toHaveLength(22);
  expect(fromShortTraceId(shortTraceId(TRACE))).toBe(TRACE);
  expect(fromShortTraceId(shortTraceId('f'.repeat(32)))).toBe('f'.repeat(32));
  for (const wrong of [
    undefined,
    '',
    'x',
    `${shortTraceId(TRACE)}x`,
    'A'.repeat(22),
    '+'.repeat(22),
  ])
    expect(fromShortTraceId(wrong)).toBeUndefined();
});

test('a device’s receipt names the trace under another span each time: it says nothing of the device', () => {
  const [first, second] = [receiptTrace(TRACE).traceparent, receiptTrace(TRACE).traceparent];
  expect(parseTraceparent(first)?.traceId).toBe(TRACE);
  expect(first).not.toBe(second);
  expect(receiptTrace(undefined)).toEqual({});
  expect(randomSpanId()).toMatch(/^[0-9a-f]{16}$/);
});

test('an envelope’s trace and instant are read without its signature; anything else has none', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const issuedAt = '2026-07-14T20:31:08.000Z';
  const jws = `${part({ alg: 'EdDSA', trace: GOOD })}.${part({ issuedAt, text: 'évacuez' })}.x`;
  expect(traceOfJws(jws)?.traceId).toBe(TRACE);
  expect(issuedAtOfJws(jws)).toBe(issuedAt);
  for (const other of ['', 'a.b.c', `${part(null)}.${part('x')}.x`, part({ trace: 7 })]) {
    expect(traceOfJws(other)).toBeUndefined();
    expect(issuedAtOfJws(other)).toBeUndefined();
  }
});
