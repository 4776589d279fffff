import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import type { CanaryPath, Envelope } from '../../shared/envelope/envelope.ts';
import { createVerifier, SignatureError } from '../../shared/envelope/signature.ts';
import { createLogger } from '../../shared/log/logger.ts';
import {
  aCanaryAlert,
  anAlert,
  type EnvelopeFacts,
  signedEnvelope,
  TEST_KEY_SET,
} from '../../tests/support/alert-builder.ts';
import { createDispatcherEvents } from './events.ts';
import { Journal } from './journal.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { ConflictError, createTakeAlert } from './take-alert.ts';

const PROBE = 'p'.repeat(22);
const PATH: CanaryPath = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' };

let folder: string;
let journal: Journal;
let begun: string[];
let ended: string[];
let nowMs: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'take-alert-'));
  journal = new Journal(join(folder, 'journal.sqlite'));
  begun = [];
  ended = [];
  nowMs = Date.now();
});
afterEach(() => {
  journal.close();
  rmSync(folder, { recursive: true });
});

const takeAlert = (...args: Parameters<ReturnType<typeof createTakeAlert>>) =>
  createTakeAlert({
    node: 'a',
    journal,
    dispatch: {
      begin: (entry) => {
        // What is sent stands in the journal already.
        expect(journal.find(entry.id)?.state).toBe('open');
        begun.push(entry.id);
        return Promise.resolve();
      },
      endWhatIsOver: () => {
        ended.push(...begun.filter((id) => journal.isEnded(id)));
      },
    },
    verifyEnvelope: createVerifier(TEST_KEY_SET, 'envelope'),
    verifyAlert: createVerifier(TEST_KEY_SET, 'alert'),
    events: createDispatcherEvents(
      createDispatcherMetrics(new MetricsRegistry()),
      createLogger('dispatcher', 'a', 'silent'),
    ),
    now: () => nowMs,
  })(...args);

test('P1: an alert is journaled, then begun', async () => {
  const { id, jws } = await signedEnvelope(anAlert({ identifier: 'one' }));
  expect(await takeAlert(jws, 'direct')).toBe('stored');
  expect(journal.find(id)).toMatchObject({
    jws,
    state: 'open',
    arrivals: ['direct'],
    audience: 'public',
  });
  expect(begun).toEqual([id]);
});

test('the second lane is noted and begins nothing; the same lane again is not noted twice', async () => {
  const { id, jws } = await signedEnvelope(anAlert({ identifier: 'one' }));
  await takeAlert(jws, 'direct');
  expect(await takeAlert(jws, 'bus')).toBe('duplicate');
  expect(await takeAlert(jws, 'bus')).toBe('duplicate');
  expect(journal.find(id)?.arrivals).toEqual(['direct', 'bus']);
  expect(begun).toEqual([id]);
});

test('both lanes at the same instant make one entry and one beginning', async () => {
  const { id, jws } = await signedEnvelope(anAlert({ identifier: 'one' }));
  const results = await Promise.all([
    takeAlert(jws, 'direct'),
    takeAlert(jws, 'bus'),
    takeAlert(jws, 'peer'),
  ]);
  expect(results.sort()).toEqual(['duplicate', 'duplicate', 'stored']);
  expect(begun).toEqual([id]);
});

test('P7: the same id with other content is a conflict: the first stays, the second is not sent', async () => {
  const sentMs = nowMs;
  const first = await signedEnvelope(anAlert({ identifier: 'one', sentMs }));
  const second = await signedEnvelope(
    anAlert({ identifier: 'one', sentMs, headline: 'Autre chose' }),
  );
  expect(second.id).toBe(first.id);
  await takeAlert(first.jws, 'direct');
  await expect(takeAlert(second.jws, 'bus')).rejects.toThrow(ConflictError);
  expect(journal.find(first.id)).toMatchObject({ jws: first.jws, arrivals: ['direct'] });
  expect(begun).toEqual([first.id]);
});

test('P3: an expired alert is journaled and never begun', async () => {
  const { id, jws, envelope } = await signedEnvelope(anAlert({ identifier: 'late' }));
  nowMs = Date.parse(envelope.expiresAt);
  expect(await takeAlert(jws, 'peer')).toBe('stored');
  expect(journal.find(id)?.state).toBe('journaled');
  expect(begun).toEqual([]);
});

test.each(['Cancel', 'Update'] as const)(
  'P3: a %s ends its alert at once and is itself begun',
  async (msgType) => {
    const first = anAlert({ identifier: 'one', sentMs: nowMs - 1000 });
    const alert = await signedEnvelope(first);
    const second = await signedEnvelope(
      anAlert({ identifier: 'two', msgType, references: [first] }),
    );
    await takeAlert(alert.jws, 'bus');
    await takeAlert(second.jws, 'direct');
    expect(ended).toEqual([alert.id]);
    expect(begun).toEqual([alert.id, second.id]);
  },
);

test('P3: a Cancel that comes first keeps its alert from ever being begun', async () => {
  const first = anAlert({ identifier: 'one', sentMs: nowMs - 1000 });
  const alert = await signedEnvelope(first);
  const cancel = await signedEnvelope(
    anAlert({ identifier: 'two', msgType: 'Cancel', references: [first] }),
  );
  await takeAlert(cancel.jws, 'direct');
  expect(await takeAlert(alert.jws, 'bus')).toBe('stored');
  expect(journal.find(alert.id)?.state).toBe('cancelled');
  expect(begun).toEqual([cancel.id]);
});

test('P3: a Cancel also ends an Update that its author did not know, unless that was sent after it', async () => {
  const first = anAlert({ identifier: 'one', sentMs: nowMs - 3000 });
  const anUpdate = (identifier: string, sentMs: number) =>
    signedEnvelope(anAlert({ identifier, sentMs, msgType: 'Update', references: [first] }));
  const cancel = await signedEnvelope(
    anAlert({ identifier: 'two', msgType: 'Cancel', references: [first], sentMs: nowMs - 1000 }),
  );
  const before = await anUpdate('three', nowMs - 2000);
  const after = await anUpdate('four', nowMs);
  await takeAlert(cancel.jws, 'direct');
  await takeAlert(before.jws, 'bus');
  await takeAlert(after.jws, 'bus');
  expect(journal.find(before.id)?.state).toBe('cancelled');
  expect(journal.find(after.id)?.state).toBe('open');
  expect(begun).toEqual([cancel.id, after.id]);
});

test('P3: a Cancel that comes too late to be sent still ends its alert', async () => {
  const first = anAlert({ identifier: 'one', sentMs: nowMs - 1000, lifeSeconds: 7200 });
  const alert = await signedEnvelope(first);
  const cancel = await signedEnvelope(
    anAlert({ identifier: 'two', msgType: 'Cancel', references: [first] }),
  );
  await takeAlert(alert.jws, 'bus');
  nowMs += 3_601_000;
  await takeAlert(cancel.jws, 'peer');
  expect(ended).toEqual([alert.id]);
  expect(begun).toEqual([alert.id]);
});

test('P6: a canary’s Cancel of a real alert ends nothing', async () => {
  const first = anAlert({ identifier: 'one', sentMs: nowMs - 1000 });
  const alert = await signedEnvelope(first);
  const test = aCanaryAlert({
    identifier: 'two',
    msgType: 'Cancel',
    references: [first],
    probes: [PROBE],
  });
  const forged = await signedEnvelope(test, { path: PATH });
  await takeAlert(forged.jws, 'bus');
  await takeAlert(alert.jws, 'bus');
  expect(ended).toEqual([]);
  expect(journal.find(alert.id)?.state).toBe('open');
});

const canary = (path: CanaryPath) =>
  signedEnvelope(aCanaryAlert({ identifier: 'c', probes: [PROBE] }), { path });

test('a canary is begun by the copy of the lane that it proves, whichever comes first', async () => {
  const { id, jws } = await canary(PATH);
  await takeAlert(jws, 'direct');
  expect(begun).toEqual([]);
  await takeAlert(jws, 'peer');
  expect(begun).toEqual([]);
  expect(await takeAlert(jws, 'bus')).toBe('duplicate');
  expect(begun).toEqual([id]);
});

test('a canary that has been sent is not sent again when another site’s bus brings its copy', async () => {
  const { id, jws } = await canary(PATH);
  await takeAlert(jws, 'bus');
  journal.setState(id, 'done');
  await takeAlert(jws, 'bus');
  expect(begun).toEqual([id]);
});

test('a canary for another dispatcher is only kept', async () => {
  const { id, jws } = await canary({ ...PATH, dispatcher: 'b' });
  await takeAlert(jws, 'bus');
  expect(journal.find(id)?.state).toBe('journaled');
  expect(begun).toEqual([]);
});

const other = (jws: string) => (jws.startsWith('e') ? `x${jws.slice(1)}` : jws);
const refusals: [string, () => Promise<{ jws: string }>][] = [
  ['P8: signed by a key that is not trusted', () => tampered({ key: 'stranger' })],
  ['P8: not a signature at all', () => Promise.resolve({ jws: 'a.b.c' })],
  ['P8: one byte of the payload differs', async () => spoiled(await tampered({}))],
  [
    'P8: a device message in place of an envelope',
    async () => ({ jws: (await tampered({})).envelope.deviceMessages['fr-FR'] ?? '' }),
  ],
  [
    'P8: a device message that is not signed',
    () => tampered({ tamper: (e) => withMessages(e, other) }),
  ],
  ['P6: a public alert signed by the canary’s key', () => tampered({ key: 'canary' })],
  [
    'P6: a Test that says it is public',
    () => canaryAs({ tamper: (e) => ({ ...e, audience: 'public' }) }),
  ],
  ['P6: a Test signed by the public key', () => canaryAs({ key: 'public' })],
  ['P6: a Test that names Nice', () => canaryAs({ tamper: withArea })],
  ['P6: a canary without a path', () => canaryAs({ tamper: ({ path: _path, ...e }) => e })],
  ['P6: a public alert with a path', () => tampered({ key: 'public', path: PATH })],
  ['P7: another headline than was hashed', () => tampered({ tamper: withHeadline })],
  [
    'P7: another area than was hashed',
    () => tampered({ tamper: (e) => ({ ...e, areaCodes: ['06'] }) }),
  ],
  ['P7: no area', () => tampered({ tamper: (e) => ({ ...e, areaCodes: [] }) })],
  ['P7: another id', () => tampered({ tamper: (e) => ({ ...e, id: '0'.repeat(32) }) })],
  ['P7: the message of another alert', async () => foreignMessage()],
  [
    'P3: outlives its alert',
    () => tampered({ tamper: (e) => ({ ...e, expiresAt: '2099-01-01T00:00:00Z' }) }),
  ],
];

test.each(refusals)('refused, neither kept nor begun: %s', async (_title, make) => {
  const { jws } = await make();
  await expect(takeAlert(jws, 'direct')).rejects.toThrow(SignatureError);
  expect(journal.after({ alerts: 0, receipts: 0 }).entries).toEqual([]);
  expect(journal.open()).toEqual([]);
  expect(begun).toEqual([]);
});

test('a good alert comes after all those', async () => {
  await expect(takeAlert((await tampered({})).jws, 'direct')).resolves.toBe('stored');
  await expect(takeAlert((await canaryAs({})).jws, 'bus')).resolves.toBe('stored');
});

function tampered(facts: EnvelopeFacts) {
  return signedEnvelope(anAlert({ identifier: 'one' }), facts);
}

function canaryAs(facts: EnvelopeFacts) {
  return signedEnvelope(aCanaryAlert({ identifier: 'c', probes: [PROBE] }), {
    path: PATH,
    ...facts,
  });
}

function spoiled({ jws }: { jws: string }): { jws: string } {
  const [head = '', body = '', signature = ''] = jws.split('.');
  const text = Buffer.from(body, 'base64url').toString().replace('promenade', 'Promenade');
  return { jws: [head, Buffer.from(text).toString('base64url'), signature].join('.') };
}

function withHeadline(envelope: Envelope): Envelope {
  const info = envelope.alert.info.map((each) => ({ ...each, headline: 'Fin d’alerte' }));
  return { ...envelope, alert: { ...envelope.alert, info } };
}

function withArea(envelope: Envelope): Envelope {
  const area = [{ areaDesc: 'Nice', geocode: [{ valueName: 'INSEE:COM', value: '06088' }] }];
  const info = envelope.alert.info.map((each) => ({ ...each, area }));
  return { ...envelope, areaCodes: ['06088'], alert: { ...envelope.alert, info } };
}

function withMessages(envelope: Envelope, change: (jws: string) => string): Envelope {
  const messages = Object.entries(envelope.deviceMessages).map(([language, jws]) => [
    language,
    change(jws),
  ]);
  return { ...envelope, deviceMessages: Object.fromEntries(messages) };
}

async function foreignMessage() {
  const another = await signedEnvelope(anAlert({ identifier: 'another' }));
  return tampered({ tamper: (e) => ({ ...e, deviceMessages: another.envelope.deviceMessages }) });
}
