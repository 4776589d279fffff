import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../../deploy/demo/until.ts';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { percentOf, playProviderFault, UNTOUCHED } from '../harness/provider-fault.ts';
import { type Providers, providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const LASTS_MS = 4_000;
/** Longer than the storm: whoever obeys asks each device once while it lasts. */
const RETRY_AFTER_SECONDS = 5;
/** Retry-After, our own jitter on it, and the pace after a cut. */
const WITHIN_MS = 25_000;
/** Without Retry-After a sender waits for a minute (Google: "Scale your FCM sends"). */
const WITHIN_A_MINUTE_MS = 100_000;
/** Requests per device of the alert that may reach the provider while it throttles: one each, the canaries', a margin. */
const MAX_REQUESTS_PER_DEVICE = 1.3;
const DEVICES_PER_TRANSPORT = 300;

interface Case {
  readonly struck: TransportKind;
  /** Push services do not say whom they mean: a 429 for all is the origin, a few are devices. */
  readonly scope: 'project' | 'device';
  /** Of the requests. */
  readonly share: number;
  readonly retryAfterSeconds: number | null;
}

const CASES: readonly Case[] = [
  { struck: 'fcm', scope: 'project', share: 1, retryAfterSeconds: RETRY_AFTER_SECONDS },
  { struck: 'web-push', scope: 'device', share: 1, retryAfterSeconds: RETRY_AFTER_SECONDS },
  { struck: 'fcm', scope: 'device', share: 0.5, retryAfterSeconds: RETRY_AFTER_SECONDS },
  { struck: 'web-push', scope: 'device', share: 0.05, retryAfterSeconds: RETRY_AFTER_SECONDS },
  { struck: 'fcm', scope: 'project', share: 1, retryAfterSeconds: null },
  { struck: 'web-push', scope: 'device', share: 1, retryAfterSeconds: null },
];

export const throttled: Row = {
  id: 'F17',
  title: 'a storm of 429s: of the project or of devices, with and without Retry-After',
  promise: `Retry-After (a minute, where there is none) is obeyed, then everybody gets it once; throttled devices do not slow the others; the other transport’s last device has it within ${UNTOUCHED} × its undisturbed time`,
  runs: { full: CASES.length, short: 0, seconds: 35 },
  seenToFail: 'the alert is over before the storm is: nobody who was throttled is tried again',
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  // Without its protection all are throttled, so that there is somebody to try again.
  const played = CASES[stage.sabotage ? 0 : run % CASES.length];
  if (!played) throw new Error('there is no such case');
  const { struck, scope, share, retryAfterSeconds } = played;
  let requestsBefore = 0;
  return playProviderFault(stage, all, {
    what: `429 to ${share * 100} % (${scope}), Retry-After ${retryAfterSeconds ?? 'left out'}`,
    struck,
    when: 'before',
    lastsMs: LASTS_MS,
    withinMs: retryAfterSeconds === null ? WITHIN_A_MINUTE_MS : WITHIN_MS,
    begin: async () => {
      requestsBefore = await all.requests(struck);
      await all.switch({
        [struck]: { reject429Share: share, quotaScope: scope, retryAfterSeconds },
      });
    },
    meanwhile: async ({ id, sinceMs }, quiet) => [
      ...(share === 1
        ? []
        : await othersSlowed(all, { id, struck, share }, sinceMs, quiet[struck])),
      ...(await disobeyed(all, struck, { requestsBefore, untilMs: sinceMs + LASTS_MS })),
    ],
  });
}

/** Who was not throttled has it as soon as without the storm. */
async function othersSlowed(
  { system }: Providers,
  {
    id,
    struck,
    share,
  }: { readonly id: string; readonly struck: TransportKind; readonly share: number },
  sinceMs: number,
  quietMs: number,
): Promise<string[]> {
  // Not all of the rest: a share is thrown for each request.
  const wanted = 80 * (1 - share);
  const limitMs = UNTOUCHED * quietMs;
  const timeoutMs = Math.max(0, sinceMs + limitMs - Date.now()) + 200;
  let percent = 0;
  await until('the others', { timeoutMs, everyMs: 25 }, async () => {
    percent = await percentOf(system, id, struck);
    return percent >= wanted ? true : undefined;
  }).catch(() => undefined);
  return percent >= wanted
    ? []
    : [`${percent.toFixed(0)} % instead of ${wanted} % had it although they were not throttled`];
}

/** Requests that reached the provider although it had said when to come again. */
async function disobeyed(
  providers: Providers,
  struck: TransportKind,
  { requestsBefore, untilMs }: { readonly requestsBefore: number; readonly untilMs: number },
): Promise<string[]> {
  await delay(Math.max(0, untilMs - Date.now()));
  const requests = (await providers.requests(struck)) - requestsBefore;
  return requests <= DEVICES_PER_TRANSPORT * MAX_REQUESTS_PER_DEVICE
    ? []
    : [`${requests} requests for ${DEVICES_PER_TRANSPORT} devices while the provider throttled`];
}
