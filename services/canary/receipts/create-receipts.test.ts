import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { createCanaryEvents } from '../events.ts';
import { createCanaryMetrics } from '../metrics.ts';
import { createWitnessLog } from '../witness-log.ts';
import { createReceipts } from './create-receipts.ts';

test('P5: another receiver’s receipt proves that receiver, never the path; the probe’s own does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-receipts-'));
  const registry = createMetricsRegistry('canary', 'a');
  const metrics = createCanaryMetrics(registry, { paths: [], probes: [], stored: undefined });
  const { book, own, receiverLog } = createReceipts(
    {
      dataDir: folder,
      timetable: { periodMs: 60_000, limitMs: 10_000 },
      proving: { 'web-push': 'a-web-push', fcm: 'a-fcm' },
    },
    {
      registry,
      verifyAlert: () => Promise.reject(new Error('no alert is handed in')),
      witnesses: createWitnessLog(),
      events: createCanaryEvents(createLogger('canary', 'a', 'silent'), metrics, Date.now),
      now: () => 0,
      wallNow: Date.now,
    },
  );
  own.enlist('a-unified-push');
  receiverLog.watch({ name: 'a-unified-push', kind: 'unified-push' });
  const states = () => receiverLog.states().map(({ name, state }) => `${name} ${state}`);
  let proofs = 0;
  book.open('n', { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'web-push' }, () => {
    proofs++;
  });
  const receipt = {
    transport: 'web-push',
    via: 'b',
    messageId: 'f'.repeat(32),
    receivedAt: new Date().toISOString(),
    nonce: 'n',
  } as const;
  expect(await own.handIn('a-unified-push', receipt)).toMatchObject({ kind: 'counted' });
  expect(proofs).toBe(0);
  expect(states()).toEqual([
    'a-web-push not-measured',
    'a-fcm not-measured',
    'a-unified-push proved',
  ]);
  expect(await own.handIn('a-web-push', receipt)).toMatchObject({ kind: 'counted' });
  expect(proofs).toBe(1);
  expect(states()[0]).toBe('a-web-push proved');
  rmSync(folder, { recursive: true });
});
