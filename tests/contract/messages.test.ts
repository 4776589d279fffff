import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { JournalPage } from '../../services/dispatcher/peers.ts';
import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import { receive } from '../../shared/device/receive.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import { DeviceReceipt, DeviceReceiptCounts } from '../../shared/receipt/device-receipt.ts';
import { AudienceAnswer, DispatchProgress, IntakeAnswer } from '../../shared/receipt/progress.ts';
import { ProbeWitness, ProofReport, WitnessAnswer } from '../../shared/receipt/proof.ts';
import { ProbeReceipt } from '../../shared/receipt/signed-receipt.ts';
import { RegistryRecord } from '../../shared/subscription/registry-record.ts';

// What version 1 of every message looked like on the bus, on the lanes and on devices. Streams keep messages for days,
// phones keep old pages for months, and sites are not updated in the same minute: these files have to be understood for
// ever. A change that breaks one needs a new `v` beside the old one; the files are never edited, only added to.
const FIXTURES = join(import.meta.dirname, 'fixtures');
const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(join(FIXTURES, `${name}.json`), 'utf8'));
const keys = KeySet.parse(fixture('trusted-keys'));

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  'registry-fcm': RegistryRecord,
  'registry-web-push': RegistryRecord,
  'registry-gone': RegistryRecord,
  'registry-unsubscribed': RegistryRecord,
  'completion-receipt': CompletionReceipt,
  'completion-receipt-taken-over': CompletionReceipt,
  'completion-receipt-timed': CompletionReceipt,
  'device-receipt': DeviceReceipt,
  'device-receipt-counts': DeviceReceiptCounts,
  'proof-report': ProofReport,
  'probe-witness': ProbeWitness,
  'probe-receipt': ProbeReceipt,
  'witness-answer': WitnessAnswer,
  'intake-answer': IntakeAnswer,
  'audience-answer': AudienceAnswer,
  'dispatch-progress': DispatchProgress,
  'dispatch-progress-timed': DispatchProgress,
  'journal-page': JournalPage,
};

test.each(Object.entries(SCHEMAS))(
  '%s of version 1 is understood, and says the same when it is passed on',
  (name, schema) => {
    expect(schema.parse(fixture(name))).toEqual(fixture(name));
  },
);

const Signed = z.object({ id: z.string(), jws: z.string() });
const ENVELOPES = [
  ['envelope-alert', 'public', 'Alert', 'Actual', 0],
  ['envelope-update', 'public', 'Update', 'Actual', 1],
  ['envelope-cancel', 'public', 'Cancel', 'Actual', 2],
  ['envelope-exercise', 'public', 'Alert', 'Exercise', 0],
  ['envelope-canary', 'canary', 'Alert', 'Test', 0],
] as const;

test.each(ENVELOPES)(
  '%s of version 1 is verified and opened by its signature, hashes and id',
  async (name, audience, msgType, status, references) => {
    const { id, jws } = Signed.parse(fixture(name));
    const envelope = await openEnvelope(jws, createVerifier(keys, 'envelope'));
    expect(envelope).toMatchObject({ v: 1, id, audience, alert: { msgType, status } });
    expect(envelope.references).toHaveLength(references);
    const verifyAlert = createVerifier(keys, 'alert');
    for (const message of Object.values(envelope.deviceMessages))
      expect((await verifyAlert(message)).audience).toBe(audience);
  },
);

test('a push of version 1 is verified and shown by a device', async () => {
  const received = await receive(fixture('push-payload'), {
    verify: createVerifier(keys, 'alert'),
    accepts: ['public'],
    store: createInMemoryStore(),
    now: () => Date.parse('2026-07-14T22:32:00+02:00'),
  });
  expect(received).toMatchObject({
    decision: { action: 'shown' },
    via: 'a',
    message: {
      id: Signed.parse(fixture('envelope-alert')).id,
      msgType: 'Alert',
      language: 'fr-FR',
    },
  });
});

test('every fixture is tried', () => {
  const tried = [
    ...Object.keys(SCHEMAS),
    ...ENVELOPES.map(([name]) => name),
    'push-payload',
    'trusted-keys',
  ];
  expect(tried.map((name) => `${name}.json`).sort()).toEqual(readdirSync(FIXTURES).sort());
});
