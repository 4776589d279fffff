import { expect, test } from '@jest/globals';
import type { Alert } from '../../../shared/alert/alert.ts';
import { alertId } from '../../../shared/alert/alert-id.ts';
import { DeviceMessage } from '../../../shared/envelope/device-message.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import { MAX_DEVICE_BYTES, pushPayloadBytes } from '../../../shared/envelope/push-payload.ts';
import { createSigner, createVerifier } from '../../../shared/envelope/signature.ts';
import {
  formatTraceparent,
  fromShortTraceId,
  type TraceContext,
} from '../../../shared/trace/trace-context.ts';
import { capTime, makeKeys, niceAlert, testAlert } from '../../../tests/support/ingest-fixtures.ts';
import { draftEnvelope, signEnvelope } from './build-envelope.ts';

const NOW = Date.parse('2026-07-14T20:31:07Z');
const { signingKeys, trustedKeys } = makeKeys();
const signers = {
  public: {
    alert: await createSigner(signingKeys.public, 'alert'),
    envelope: await createSigner(signingKeys.public, 'envelope'),
  },
  canary: {
    alert: await createSigner(signingKeys.canary, 'alert'),
    envelope: await createSigner(signingKeys.canary, 'envelope'),
  },
};
const verifyDevice = createVerifier(trustedKeys, 'alert');
const verifyEnvelope = createVerifier(trustedKeys, 'envelope');

async function draftOf(alert: Alert) {
  const result = await draftEnvelope(alert, undefined, signers);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.draft;
}

test('P7: what is signed opens again with the same content, area and validity', async () => {
  const alert = niceAlert(NOW);
  const jws = await signEnvelope(
    await draftOf(alert),
    { shards: 16, issuer: 'a', nowMs: NOW },
    signers.public.envelope,
  );
  const opened = await openEnvelope(jws, verifyEnvelope);
  expect(opened).toMatchObject({
    id: await alertId(alert),
    alert,
    areaCodes: ['06088'],
    shards: 16,
    expiresAt: '2026-07-14T21:31:07.000Z',
  });
});

test('P8: each language is a message that a device can verify, signed for people', async () => {
  const draft = await draftOf(niceAlert(NOW));
  expect(Object.keys(draft.deviceMessages)).toEqual(['fr-FR', 'en-GB']);
  for (const [language, jws] of Object.entries(draft.deviceMessages)) {
    const verified = await verifyDevice(jws);
    expect(verified.audience).toBe('public');
    expect(DeviceMessage.parse(JSON.parse(verified.payload))).toMatchObject({
      language,
      id: draft.id,
      expires: '2026-07-14T21:31:07+00:00',
    });
  }
});

test('P6: a Test is signed with the canary’s key, names its path and carries its nonce', async () => {
  const round = {
    path: { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' },
    nonce: 'abcdefgh12345678',
  } as const;
  const result = await draftEnvelope(testAlert(NOW), round, signers);
  if (!result.ok) throw new Error('refused');
  const verified = await verifyDevice(result.draft.deviceMessages['fr-FR'] ?? '');
  expect(verified.audience).toBe('canary');
  expect(JSON.parse(verified.payload)).toMatchObject({ nonce: round.nonce, level: 'test' });
  expect(result.draft.path).toEqual(round.path);
});

test('P3: a Cancel and an Update carry the ids of what they are about to every device', async () => {
  const first = niceAlert(NOW);
  const cancel = niceAlert(NOW, {
    identifier: 'nice-1.cancel',
    msgType: 'Cancel',
    sent: capTime(NOW + 60_000),
    references: `${first.sender},${first.identifier},${first.sent}`,
  });
  const draft = await draftOf(cancel);
  const device = JSON.parse((await verifyDevice(draft.deviceMessages['fr-FR'] ?? '')).payload);
  expect(draft.references).toEqual([await alertId(first)]);
  expect(device).toMatchObject({ msgType: 'Cancel', references: [await alertId(first)] });
});

test('P12: what is too long for a device is refused with the field to shorten, and cutting that much is enough', async () => {
  const alert = niceAlert(NOW);
  const withDescription = (description: string): Alert => ({
    ...alert,
    info: alert.info.map((info, i) => (i === 1 ? { ...info, description } : info)),
  });
  const long = 'x'.repeat(1_900);
  const refused = await draftEnvelope(withDescription(long), undefined, signers);
  if (refused.ok) throw new Error('accepted');
  expect(refused.problems).toHaveLength(1);
  expect(refused.problems[0]).toMatchObject({ field: 'info[1].description' });
  const cut = Number(/at least (\d+) bytes/.exec(refused.problems[0]?.message ?? '')?.[1]);
  const draft = await draftOf(withDescription(long.slice(cut)));
  const bytes = pushPayloadBytes(draft.deviceMessages['en-GB'] ?? '');
  expect(bytes).toBeLessThanOrEqual(MAX_DEVICE_BYTES);
  expect(bytes).toBeGreaterThan(MAX_DEVICE_BYTES - 8);
});

test('a device message names a trace that is not the alert’s own id where there is room, and for its sake none is too long', async () => {
  const trace = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true };
  const alert = niceAlert(NOW);
  const drafted = async (given: Alert, of: TraceContext) => {
    const result = await draftEnvelope(given, undefined, signers, of);
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.draft;
  };
  const named = await drafted(alert, trace);
  const device = await verifyDevice(named.deviceMessages['fr-FR'] ?? '');
  expect(fromShortTraceId(device.trace)).toBe(trace.traceId);
  const jws = await signEnvelope(
    named,
    { shards: 1, issuer: 'a', nowMs: NOW },
    signers.public.envelope,
  );
  expect((await openEnvelope(jws, verifyEnvelope)).trace).toBe(formatTraceparent(trace));

  const own = await drafted(alert, { ...trace, traceId: await alertId(alert) });
  expect(own.deviceMessages).toEqual((await draftOf(alert)).deviceMessages);

  const longest = (length: number): Alert => ({
    ...alert,
    info: alert.info.map((info) => ({ ...info, description: 'x'.repeat(length) })),
  });
  let length = 1_900;
  while (!(await draftEnvelope(longest(length), undefined, signers)).ok) length -= 5;
  const full = await drafted(longest(length), trace);
  const without = await draftOf(longest(length));
  expect(full.deviceMessages['fr-FR']).toBe(without.deviceMessages['fr-FR']);
});

test('P12: more areas than an envelope holds is a clear problem', async () => {
  const alert = niceAlert(NOW);
  const geocode = Array.from({ length: 1_400 }, (_, i) => ({
    valueName: 'INSEE:COM',
    value: `${String(1 + Math.floor(i / 700)).padStart(2, '0')}${String(1 + (i % 700)).padStart(3, '0')}`,
  }));
  const many = {
    ...alert,
    info: alert.info.map((info) => ({ ...info, area: [{ areaDesc: 'much', geocode }] })),
  };
  expect(await draftEnvelope(many, undefined, signers)).toMatchObject({
    ok: false,
    problems: [{ field: 'info[0].area' }],
  });
});
