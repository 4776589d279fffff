import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { fetchJson } from '../../../shared/http/fetch-json.ts';

/** What everybody else looks at: processes, health checks, the providers' status codes. */
export interface Healthy {
  /** Processes that run, of all; and how those that do not are. */
  readonly running: readonly string[];
  readonly notRunning: readonly string[];
  readonly live: readonly string[];
  readonly notLive: readonly string[];
  readonly ready: readonly string[];
  readonly notReady: readonly string[];
  /** What the providers answered since it was broken, such as `fcm 200 × 12`. */
  readonly providers: readonly string[];
}

const Counts = z.object({
  requests: z.int(),
  accepted: z.int(),
  refused: z.record(z.string(), z.int()),
  unanswered: z.int(),
});
const Stats = z.object({ fcm: Counts, webPush: Counts });
export type ProviderCounts = z.infer<typeof Stats>;

const LIMIT_MS = 5_000;

export interface Watched {
  readonly name: string;
  /** Address of its health checks; NATS has one for both. */
  readonly live: string;
  readonly ready: string;
  readonly pid: number | undefined;
}

export async function healthy(
  processes: readonly Watched[],
  before: ProviderCounts | undefined,
  now: ProviderCounts | undefined,
): Promise<Healthy> {
  const asked = await Promise.all(
    processes.map(async ({ name, live, ready, pid }) => {
      const [isLive, isReady] = await Promise.all([isOk(live), isOk(ready)]);
      return { name, state: stateOf(pid), isLive, isReady };
    }),
  );
  const names = (isMeant: (each: (typeof asked)[number]) => boolean) =>
    asked.filter(isMeant).map(({ name }) => name);
  return {
    running: names(({ state }) => state === 'running'),
    notRunning: asked
      .filter(({ state }) => state !== 'running')
      .map(({ name, state }) => `${name} (${state})`),
    live: names(({ isLive }) => isLive),
    notLive: names(({ isLive }) => !isLive),
    ready: names(({ isReady }) => isReady),
    notReady: names(({ isReady }) => !isReady),
    providers: now === undefined ? ['no answer'] : answersSince(before, now),
  };
}

export function readStats(sandbox: string): Promise<ProviderCounts | undefined> {
  return fetchJson(`${sandbox}/stats`, { schema: Stats, timeoutMs: LIMIT_MS }).catch(
    () => undefined,
  );
}

/** What the providers answered between two readings, in words. Pure. */
export function answersSince(before: ProviderCounts | undefined, now: ProviderCounts): string[] {
  const NAMES = { fcm: ['FCM', '200'], webPush: ['Web Push', '201'] } as const;
  return (['fcm', 'webPush'] as const).flatMap((provider) => {
    const [name, success] = NAMES[provider];
    const past = before?.[provider];
    const answers = {
      [success]: now[provider].accepted - (past?.accepted ?? 0),
      ...Object.fromEntries(
        Object.entries(now[provider].refused).map(([status, count]) => [
          status,
          count - (past?.refused[status] ?? 0),
        ]),
      ),
      'no answer': now[provider].unanswered - (past?.unanswered ?? 0),
    };
    const words = Object.entries(answers)
      .filter(([, count]) => count > 0)
      .map(([status, count]) => `${name} ${status} × ${count}`);
    return words.length > 0 ? words : [`${name} nothing`];
  });
}

/** By the kernel: a stopped process is there and does nothing. */
function stateOf(pid: number | undefined): 'running' | 'stopped' | 'gone' {
  if (pid === undefined) return 'gone';
  try {
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    return state === 'T' ? 'stopped' : state === 'Z' || state === undefined ? 'gone' : 'running';
  } catch {
    return 'gone';
  }
}

async function isOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(LIMIT_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
