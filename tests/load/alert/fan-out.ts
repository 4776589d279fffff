import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { type AlertDraft, draftAlert, post, prefectureKey } from '../../failover/harness/alerts.ts';
import type { Curve } from '../report/plot.ts';
import { type BenchSystem, REPLY_MS } from './bench-system.ts';
import { cpuSeconds } from './process-figures.ts';

/** `plain`: nothing else happens. `killed`: one of two dispatchers is killed when half have it. `others`: 51 more alerts. */
export type Scenario = 'plain' | 'killed' | 'others';

/** Instants are seconds after the request to ingest was begun. */
export interface FanOut {
  readonly scenario: Scenario;
  readonly devices: number;
  /** Devices that had the alert in the end. */
  readonly reached: number;
  /** Requests that the providers took; above `devices` where something was sent twice. */
  readonly messages: number;
  readonly acceptedSeconds: number;
  readonly firstSeconds: number;
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly p99Seconds: number;
  readonly lastSeconds: number;
  /** User and system time of the processes meanwhile. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  readonly curve: Curve['points'];
}

/** Where everybody is whom the measured alert is for. */
export const MAIN_AREA = '06088';
/** Communes of the same department, one for each of the other alerts. */
export const OTHER_AREAS = Array.from(
  { length: 51 },
  (_, i) => `06${String(i + 1).padStart(3, '0')}`,
);

const LOOK_EVERY_MS = 50;
const PROGRESS_MS = 5_000;
const RAISED_AT_A_TIME = 8;
/** The slowest fan-out that is waited for. */
const BASE_WAIT_MS = 60_000;
const SLOWEST_PER_SECOND = 1_000;

interface Look {
  readonly reached: number;
  readonly messages: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** Raises the alert and watches until everybody has it; what did not come in time is missing in `reached`. */
export async function fanOut(
  bench: BenchSystem,
  scenario: Scenario,
  devices: number,
): Promise<FanOut> {
  const { system, sinks } = bench;
  await Promise.all([sinks.fcm.beginAnew(), sinks['web-push'].beginAnew()]);
  const processes = system.names('dispatcher', 'ingest', 'nats');
  const pids = new Map(processes.map((name) => [name, system.pid(name)]));
  const cpuNow = () => new Map([...pids].map(([name, pid]) => [name, cpuSeconds(pid)]));
  const cpuBefore = cpuNow();
  let cpuOfKilled = 0;
  if (scenario === 'others') await raiseOthers(bench);
  const draft = await draftAlert();
  const startMs = Date.now();
  await raise(bench, draft);
  const acceptedSeconds = (Date.now() - startMs) / 1000;
  const atDispatchers = createDispatcherLook(bench, draft.id);
  const look = scenario === 'others' ? atDispatchers : () => atSinks(bench);

  const curve: { seconds: number; share: number }[] = [{ seconds: 0, share: 0 }];
  const endMs = startMs + BASE_WAIT_MS + (devices / SLOWEST_PER_SECOND) * 1000;
  let last = await look();
  let isKilled = false;
  while (last.reached < devices && Date.now() < endMs) {
    await sleep(LOOK_EVERY_MS);
    last = await look();
    const share = last.reached / devices;
    curve.push({ seconds: (Date.now() - startMs) / 1000, share });
    if (scenario === 'killed' && !isKilled && share >= 0.5) {
      isKilled = true;
      cpuOfKilled = cpuSeconds(system.pid('dispatcher-b'));
      bench.stopProving('b');
      await system.kill('dispatcher-b');
    }
  }
  const cpuAfter = cpuNow();
  if (isKilled) cpuAfter.set('dispatcher-b', cpuOfKilled);
  const at = (share: number) =>
    curve.find((point) => point.share >= share)?.seconds ?? Number.POSITIVE_INFINITY;
  return {
    scenario,
    devices,
    reached: last.reached,
    messages: last.messages,
    acceptedSeconds,
    firstSeconds: (last.firstAtMs - startMs) / 1000,
    p50Seconds: at(0.5),
    p95Seconds: at(0.95),
    p99Seconds: at(0.99),
    lastSeconds: (last.lastAtMs - startMs) / 1000,
    cpuSeconds: Object.fromEntries(
      processes.map((name) => [name, (cpuAfter.get(name) ?? 0) - (cpuBefore.get(name) ?? 0)]),
    ),
    curve,
  };
}

async function raise(bench: BenchSystem, draft: AlertDraft): Promise<void> {
  const key = prefectureKey(bench.system);
  const { accepted, status } = await post(urlOf(bench.system, 'ingest-a'), draft, key);
  if (!accepted) throw new Error(`the ingest answered ${status}`);
}

/** The other alerts, each for a commune of its own, as fast as they are taken. */
async function raiseOthers(bench: BenchSystem): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < OTHER_AREAS.length) {
      const area = OTHER_AREAS[next++];
      const draft = await draftAlert({ severity: 'Severe' });
      const body = JSON.stringify(draft.body).replaceAll(`"${MAIN_AREA}"`, `"${area}"`);
      await raise(bench, { ...draft, body: JSON.parse(body) });
    }
  };
  await Promise.all(Array.from({ length: RAISED_AT_A_TIME }, lane));
}

/** What the providers have taken and answered. */
async function atSinks({ sinks }: BenchSystem): Promise<Look> {
  const both = await Promise.all([sinks.fcm.stats(), sinks['web-push'].stats()]);
  const began = both.filter(({ messages }) => messages > 0);
  return {
    reached: both.reduce((sum, { devices }) => sum + devices, 0),
    messages: both.reduce((sum, { messages }) => sum + messages, 0),
    firstAtMs: Math.min(...began.map(({ firstAtMs }) => firstAtMs)) + REPLY_MS,
    lastAtMs: Math.max(...began.map(({ lastNewAtMs }) => lastNewAtMs)) + REPLY_MS,
  };
}

type Transports = DispatchProgress['transports'][keyof DispatchProgress['transports']][];

/**
 * What the dispatchers say of one alert among others: the sinks do not know alerts apart. One that is too busy to answer
 * counts with what it said before.
 */
function createDispatcherLook({ system }: BenchSystem, alertId: string): () => Promise<Look> {
  const lastWord = new Map<string, Transports>();
  return async () => {
    await Promise.all(
      system.sites.map(async (site) => {
        const url = `${urlOf(system, `dispatcher-${site}`)}/v1/alerts/${alertId}/progress`;
        const options = { timeoutMs: PROGRESS_MS, token: system.internalToken };
        const said = await fetchJson(url, { schema: DispatchProgress, ...options }).catch(
          (error: unknown) => {
            if (error instanceof FetchError) return undefined;
            throw error;
          },
        );
        if (said) lastWord.set(site, Object.values(said.transports));
      }),
    );
    const all = [...lastWord.values()];
    const transports = all.flat().flatMap((each) => (each ? [each] : []));
    const instants = (field: 'firstAcceptedAt' | 'lastAcceptedAt') =>
      transports.flatMap((each) => {
        const at = each[field];
        return at === null ? [] : [Date.parse(at)];
      });
    const known = all.map((of) => of.reduce((sum, each) => sum + (each?.acceptedKnown ?? 0), 0));
    return {
      reached: Math.max(0, ...known),
      messages: transports.reduce((sum, { counts }) => sum + counts.accepted, 0),
      firstAtMs: Math.min(...instants('firstAcceptedAt')),
      lastAtMs: Math.max(...instants('lastAcceptedAt')),
    };
  };
}

const Audience = z.object({ counts: z.partialRecord(z.enum(['fcm', 'web-push']), z.int()) });

/** How many devices of an area a dispatcher knows; 0 while it does not answer. */
export async function audienceOf(
  { system }: BenchSystem,
  site: string,
  area: string,
): Promise<number> {
  try {
    const { counts } = await fetchJson(
      `${urlOf(system, `dispatcher-${site}`)}/v1/audience?area=${area}`,
      { schema: Audience, timeoutMs: 5_000, token: system.internalToken },
    );
    return (counts.fcm ?? 0) + (counts['web-push'] ?? 0);
  } catch (error) {
    if (error instanceof FetchError) return 0;
    throw error;
  }
}
