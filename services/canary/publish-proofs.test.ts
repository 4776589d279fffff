import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { SiteBus } from '../../shared/bus/site-bus.ts';
import { proofSubject } from '../../shared/bus/subjects.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { ProofReport } from '../../shared/receipt/proof.ts';
import { startNats, type TestNats } from '../../tests/support/nats-server.ts';
import { ProofPublisher } from './publish-proofs.ts';

jest.setTimeout(60_000);

const log = createLogger('canary', 'a', 'silent');
const path = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'fcm' } as const;
let nats: TestNats;
let reader: SiteBus;
let publisher: ProofPublisher;

const siteFor = (user: 'canary' | 'dispatcher') => ({
  site: 'a',
  url: nats.url,
  monitorUrl: nats.monitorUrl,
  user,
  passwordFile: nats.passwordFiles[user],
  replicas: 1 as const,
});

beforeAll(async () => {
  nats = await startNats({ users: true });
  const site = siteFor('dispatcher');
  const streams = ['PROOFS'] as const;
  reader = new SiteBus({ site, clientName: 'test', streams, allowUnsynced: false }, log);
  publisher = new ProofPublisher(siteFor('canary'), 'a', log);
});

afterAll(async () => {
  await publisher.close();
  await reader.close();
  await nats.close();
});

/** Publishes until the stream's last proof of the path has this latency. */
async function publishUntilStored(latencyMs: number): Promise<unknown> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    await publisher.publish({ path, ageMs: 0, latencyMs });
    const manager = reader.jetStream?.manager;
    const last = await manager?.streams
      .getMessage('PROOFS', { last_by_subj: proofSubject('a', path) })
      .catch(() => null);
    const report = last ? ProofReport.parse(last.json()) : undefined;
    if (report?.proofs[0]?.latencyMs === latencyMs) return report;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the proof was not stored in time');
}

test('a proof reaches the PROOFS stream from the canary’s own account', async () => {
  expect(await publishUntilStored(340)).toEqual({
    v: 1,
    canary: 'a',
    proofs: [{ path, ageMs: 0, latencyMs: 340 }],
  });
});

test('a bus that dies holds up nothing, and is used again when it is back', async () => {
  await nats.kill('SIGKILL');
  const startedMs = Date.now();
  await publisher.publish({ path, ageMs: 0, latencyMs: 1 });
  expect(Date.now() - startedMs).toBeLessThan(3_000);
  await nats.restart();
  expect(await publishUntilStored(512)).toMatchObject({ proofs: [{ latencyMs: 512 }] });
});
