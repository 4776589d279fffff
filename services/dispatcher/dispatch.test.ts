import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry as MetricsRegistry } from 'prom-client';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { createVerifier, type Verify } from '../../shared/envelope/signature.ts';
import { createLogger } from '../../shared/log/logger.ts';
import type { ActiveRecord } from '../../shared/subscription/registry-record.ts';
import { sleep } from '../../shared/time/sleep.ts';
import {
  aCanaryAlert,
  anAlert,
  signedEnvelope,
  TEST_KEY_SET,
} from '../../tests/support/alert-builder.ts';
import { NOBODY_TO_ASK } from './ask-first.ts';
import { Dispatch } from './dispatch.ts';
import { createDispatcherEvents } from './events.ts';
import { FairShare } from './fair-share.ts';
import { Journal, type JournalEntry } from './journal.ts';
import { createDispatcherMetrics } from './metrics.ts';
import { Registry } from './registry.ts';
import { RouteTrust } from './trust.ts';

const DEVICE = 'd'.repeat(22);
const PATH = { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } as const;
const verifyAlert = createVerifier(TEST_KEY_SET, 'alert');

let folder: string;
let journal: Journal;
let registry: Registry;
let sent: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-'));
  journal = new Journal(join(folder, 'journal.sqlite'));
  registry = new Registry(join(folder, 'registry.sqlite'));
  registry.apply([{ record: fcmDevice(DEVICE, '06088') }]);
  sent = [];
});
afterEach(() => {
  journal.close();
  registry.close();
  rmSync(folder, { recursive: true });
});

function fcmDevice(deviceId: string, areaCode: string): ActiveRecord {
  return {
    v: 1,
    state: 'active',
    version: 1,
    probe: areaCode === 'ZZ999',
    lastHeardAt: '2026-07-14T20:00:00Z',
    subscription: {
      deviceId,
      address: { transport: 'fcm', token: `token-of-${deviceId}` },
      areaCodes: [areaCode],
      language: 'fr-FR',
      appVersion: '1',
    },
  };
}

function aDispatch(verify: Verify = verifyAlert, recipients: string[] = []): Dispatch {
  const log = createLogger('dispatcher', 'a', 'silent');
  return new Dispatch({
    node: 'a',
    site: 'a',
    nodes: ['a'],
    journal,
    registry,
    transports: [
      {
        kind: 'fcm',
        share: new FairShare(10),
        send: ({ deviceId }, { alertId }, _signal, settle) => {
          recipients.push(deviceId);
          sent.push(alertId);
          queueMicrotask(() => settle({ kind: 'accepted' }));
        },
      },
    ],
    trust: new RouteTrust(Date.now),
    isReplicaWhole: () => true,
    silent: () => false,
    unanswering: () => false,
    publishReceipt: (receipt) => journal.addReceipt(receipt),
    reportGone: () => undefined,
    verifyEnvelope: createVerifier(TEST_KEY_SET, 'envelope'),
    askFirst: NOBODY_TO_ASK,
    verifyAlert: verify,
    events: createDispatcherEvents(createDispatcherMetrics(new MetricsRegistry()), log),
    log,
    now: Date.now,
  });
}

function insert(id: string, jws: string, envelope: Envelope): JournalEntry {
  const { contentHash, audience } = envelope;
  const expiresAtMs = Date.parse(envelope.expiresAt);
  journal.insert({
    id,
    jws,
    contentHash,
    audience,
    receivedAtMs: 1,
    expiresAtMs,
    state: 'open',
    arrivals: ['bus'],
  });
  const entry = journal.find(id);
  if (!entry) throw new Error('not stored');
  return entry;
}

async function stored(): Promise<{ entry: JournalEntry; envelope: Envelope }> {
  const { id, jws, envelope } = await signedEnvelope(anAlert({ identifier: 'one' }));
  return { entry: insert(id, jws, envelope), envelope };
}

async function untilOver(dispatch: Dispatch): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (dispatch.liveAlerts > 0 && Date.now() < deadline) await sleep(10);
  expect(dispatch.liveAlerts).toBe(0);
}

test('P2: an open alert is sent, once, even if it is begun twice, and its end is in the journal', async () => {
  const { entry, envelope } = await stored();
  const dispatch = aDispatch();
  await Promise.all([dispatch.begin(entry, envelope), dispatch.begin(entry, envelope)]);
  await untilOver(dispatch);
  expect(sent).toEqual([entry.id]);
  expect(journal.find(entry.id)?.state).toBe('done');
  expect(dispatch.progress(entry.id)).toMatchObject({
    state: 'done',
    transports: { fcm: { counts: { accepted: 1 } } },
  });
});

test('P3: a Cancel that comes while its alert is being looked at keeps it from being sent', async () => {
  const { entry, envelope } = await stored();
  const dispatch: Dispatch = aDispatch(async (jws) => {
    journal.end(entry.id, 'f'.repeat(32), Date.now());
    dispatch.endWhatIsOver();
    return await verifyAlert(jws);
  });
  await dispatch.begin(entry, envelope);
  await untilOver(dispatch);
  expect(sent).toEqual([]);
  expect(journal.find(entry.id)?.state).toBe('cancelled');
});

test('P3: an alert whose Cancel was journaled just before a crash is not taken up again', async () => {
  const { entry, envelope } = await stored();
  journal.end(entry.id, 'f'.repeat(32), Date.now());
  const dispatch = aDispatch();
  for (const open of journal.open()) await dispatch.begin(open, envelope);
  await untilOver(dispatch);
  expect(sent).toEqual([]);
  expect(journal.find(entry.id)?.state).toBe('cancelled');
});

test('closing leaves an alert open for the next life, which does not repeat what has its receipt', async () => {
  const { entry, envelope } = await stored();
  const first = aDispatch();
  await first.begin(entry, envelope);
  await untilOver(first);
  journal.setState(entry.id, 'open');
  const second = aDispatch();
  await second.begin(entry, envelope);
  await untilOver(second);
  expect(sent).toEqual([entry.id]);
});

test('P6: a canary reaches the probe that it names, and neither people nor the other probes', async () => {
  const [named, other] = ['p'.repeat(22), 'q'.repeat(22)] as const;
  registry.apply([named, other].map((deviceId) => ({ record: fcmDevice(deviceId, 'ZZ999') })));
  const { id, jws, envelope } = await signedEnvelope(
    aCanaryAlert({ identifier: 'c', probes: [named, DEVICE] }),
    { path: PATH },
  );
  const recipients: string[] = [];
  const dispatch = aDispatch(verifyAlert, recipients);
  await dispatch.begin(insert(id, jws, envelope), envelope);
  await untilOver(dispatch);
  expect(recipients).toEqual([named]);
});

test('P1: what a newer version left open in the journal keeps a node neither from starting nor from what stands behind it', async () => {
  const first = await signedEnvelope(anAlert({ identifier: 'newer' }));
  insert(first.envelope.id, 'signed.by.somebody-newer', first.envelope);
  const second = await signedEnvelope(anAlert({ identifier: 'ours' }));
  insert(second.envelope.id, second.jws, second.envelope);
  const dispatch = aDispatch();
  await dispatch.resume();
  await sleep(300);
  await dispatch.close();
  expect(sent).toEqual([second.envelope.id]);
  expect(journal.find(first.envelope.id)?.state).toBe('journaled');
});
