import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { waitForProofs } from '../../deploy/demo/proofs.ts';
import { until } from '../../deploy/demo/until.ts';
import { filesOf } from '../../deploy/local/layout.ts';
import { PathsReport } from '../../services/canary/paths-report.ts';
import { AcceptedAnswer } from '../../services/ingest/accept/accepted-answer.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { WitnessAnswer } from '../../shared/receipt/proof.ts';
import {
  exampleAlert,
  killHard,
  readSecret,
  revive,
  startWholeSystem,
  type WholeSystem,
} from '../support/whole-system.ts';

// Real processes, and nothing in between: the canaries' FCM probes check in at the sandbox, register, and take what real
// dispatchers send from the MCS stream, over TLS with the certificate checked.
let system: WholeSystem;
const quiet = () => undefined;

beforeAll(async () => {
  system = await startWholeSystem({
    extraEnv: {
      canary: { PERIOD_SECONDS: '10', LIMIT_SECONDS: '8', STORED_PROBE_SECONDS: '0' },
    },
  });
}, 120_000);
afterAll(async () => {
  await system?.close();
  system?.destroy();
}, 30_000);

const Kept = z.object({
  identity: z.object({ androidId: z.string() }),
  registration: z.object({ token: z.string() }),
  receivedIds: z.array(z.string()),
});
const keptBy = (site: string) => {
  const folder = filesOf(system.stateDir).dataDir(`canary-${site}`);
  return Kept.parse(JSON.parse(readFileSync(join(folder, 'probes', 'probe-fcm.json'), 'utf8')));
};

test('P5: probes on the MCS stream prove every FCM path of real dispatchers', async () => {
  await waitForProofs(system, quiet);
  for (const site of system.sites) {
    const { identity, registration, receivedIds } = keptBy(site);
    expect(identity.androidId).toMatch(/^\d{10,20}$/);
    expect(registration.token).toMatch(/:APA91b/);
    // One round for each ingest, lane and dispatcher at least.
    expect(receivedIds.length).toBeGreaterThanOrEqual(4);
    expect(new Set(receivedIds).size).toBe(receivedIds.length);
  }
}, 150_000);

test('a real alert is witnessed by them', async () => {
  const { id } = await fetchJson(`${urlOf(system, 'ingest-a')}/v1/alerts`, {
    schema: AcceptedAnswer,
    timeoutMs: 10_000,
    token: readSecret(system.stateDir, 'keys/pref06.key'),
    json: exampleAlert('nice-alert'),
  });
  for (const site of system.sites)
    await until(`canary ${site} saw it by FCM`, { timeoutMs: 30_000, everyMs: 200 }, async () => {
      const { witnesses } = await fetchJson(
        `${urlOf(system, `canary-${site}`)}/v1/alerts/${id}/witnesses`,
        { schema: WitnessAnswer, timeoutMs: 5_000, token: system.internalToken },
      );
      return witnesses.some(({ transport }) => transport === 'fcm') ? true : undefined;
    });
}, 90_000);

test('a sandbox that was killed finds its devices again: the probes come back to it at the same addresses', async () => {
  const tokens = system.sites.map((site) => keptBy(site).registration.token);
  await killHard(system, 'sandbox');
  await revive(system, 'sandbox');
  const before = Date.now();
  await until('FCM is proved anew', { timeoutMs: 90_000, everyMs: 500 }, async () => {
    const ages = await Promise.all(system.sites.map(oldestFcmProofMs));
    return ages.every((age) => age < Date.now() - before) ? true : undefined;
  });
  expect(system.sites.map((site) => keptBy(site).registration.token)).toEqual(tokens);
}, 150_000);

/** Infinite while a path was never proved. */
async function oldestFcmProofMs(site: string): Promise<number> {
  const { paths } = await fetchJson(`${urlOf(system, `canary-${site}`)}/v1/paths`, {
    schema: PathsReport,
    timeoutMs: 5_000,
  });
  const ages = paths
    .filter(({ path }) => path.transport === 'fcm')
    .map(({ ageSeconds }) => ageSeconds ?? Number.POSITIVE_INFINITY);
  return Math.max(...ages) * 1000;
}
