import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { AudienceAnswer } from '../../shared/receipt/progress.ts';
import { Subscription } from '../../shared/subscription/subscription.ts';
import { type RunningSystem, urlOf } from './find-system.ts';
import { runCli } from './run-cli.ts';
import { until } from './until.ts';

const CROWD = 'demo';
/** Nice, where the alert is for, and four communes around it, where it is not. */
export const ALERT_AREA = '06088';
const AREAS = [ALERT_AREA, '06029', '06004', '06027', '06069'];

const Crowd = z.object({ name: z.string(), subscriptions: z.array(Subscription) });

/** Makes the simulated devices (the same ones at each run) and registers them as a migration would: from a file. */
export async function registerCrowd(
  system: RunningSystem,
  size: number,
  say: (line: string) => void,
): Promise<void> {
  const keySet = KeySet.parse(
    JSON.parse(readFileSync(join(system.stateDir, 'trusted-keys.json'), 'utf8')),
  );
  const { vapidPublicKey } = await fetchJson(
    `${urlOf(system, `edge-${system.sites[0]}`)}/v1/keys`,
    {
      schema: z.object({ vapidPublicKey: z.string() }),
      timeoutMs: 5_000,
    },
  );
  const { subscriptions } = await fetchJson(`${urlOf(system, 'sandbox')}/crowds`, {
    schema: Crowd,
    timeoutMs: 60_000,
    json: {
      name: CROWD,
      areas: AREAS.map((code) => ({ code, count: size / AREAS.length })),
      fcmShare: 0.5,
      language: 'fr-FR',
      keySet: { keys: keySet.keys.filter((key) => key.audience === 'public') },
      vapidPublicKey,
      edgeUrl: urlOf(system, `edge-${system.sites[0]}`),
      receiptShare: 0.1,
    },
  });
  const file = join(system.stateDir, 'demo-devices.jsonl');
  writeFileSync(file, subscriptions.map((each) => `${JSON.stringify(each)}\n`).join(''));
  say(`${subscriptions.length} simulated devices in ${AREAS.length} communes; registering them`);
  await runCli(system, ['devices', 'import', file]);
  const wanted = size / AREAS.length;
  await until(
    `every dispatcher knows ${wanted} devices in ${ALERT_AREA}`,
    { timeoutMs: 30_000, everyMs: 200 },
    async () => {
      const known = await Promise.all(system.sites.map((site) => audienceOf(system, site)));
      return known.every((count) => count >= wanted) ? true : undefined;
    },
  );
}

/** How many devices a dispatcher would send the alert to. */
async function audienceOf(system: RunningSystem, site: string): Promise<number> {
  const { counts } = await fetchJson(
    `${urlOf(system, `dispatcher-${site}`)}/v1/audience?area=${ALERT_AREA}`,
    {
      schema: AudienceAnswer,
      timeoutMs: 5_000,
      token: system.internalToken,
    },
  );
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const Counts = z.object({
  devices: z.int(),
  /** Messages of any alert that the providers accepted for these devices. */
  acceptedMessages: z.int(),
  received: z.int(),
  shown: z.int(),
  shownTwice: z.int(),
  takenDown: z.int(),
  repeats: z.int(),
  firstMs: z.number().nullable(),
  lastMs: z.number().nullable(),
  byNode: z.record(z.string(), z.int()),
});
const Report = z.object({
  inside: Counts,
  outside: Counts,
  areas: z.array(
    z.object({ code: z.string(), perTransport: z.object({ fcm: Counts, 'web-push': Counts }) }),
  ),
});
export type CrowdReport = z.infer<typeof Report>;
export type CrowdCounts = z.infer<typeof Counts>;

/** What the devices themselves say about an alert. */
export function crowdReport(system: RunningSystem, alertId: string): Promise<CrowdReport> {
  const url = `${urlOf(system, 'sandbox')}/crowds/${CROWD}/report?alert=${alertId}&areas=${ALERT_AREA}`;
  return fetchJson(url, { schema: Report, timeoutMs: 10_000 });
}

/** How fast the sandbox's providers take messages; 0 is as fast as they can. */
export async function setProviderPace(system: RunningSystem, perSecond: number): Promise<void> {
  const faults = { messagesPerSecond: perSecond };
  await fetchJson(`${urlOf(system, 'sandbox')}/faults`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    method: 'PUT',
    json: { fcm: faults, webPush: faults },
  });
}
