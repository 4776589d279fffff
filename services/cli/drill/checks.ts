import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import { allPathsSeen, allProbes } from './canaries.ts';
import { type DrillDeps, DrillEndedError } from './drill.ts';

const TIMEOUT_MS = 5_000;
/** Between two looks for a real alert while a drill runs. */
const LOOK_EVERY_MS = 2_000;

const RecentAnswer = z.looseObject({
  alerts: z.array(
    z.looseObject({
      id: z.string(),
      state: z.string(),
      alert: z.looseObject({
        status: z.string(),
        msgType: z.string(),
        info: z.array(z.looseObject({ responseType: z.array(z.string()).optional() })),
      }),
    }),
  ),
});
type RecentAlert = z.infer<typeof RecentAnswer>['alerts'][number];

/**
 * Whether an alert is one that people go by now. A Cancel and an all-clear stay on the list until they expire, and are no
 * alert. An Exercise counts: people look at it. Pure.
 */
export function isLive({ state, alert }: RecentAlert): boolean {
  const isAllClear =
    alert.info.length > 0 &&
    alert.info.every(({ responseType = [] }) => responseType.includes('AllClear'));
  return state === 'active' && alert.msgType !== 'Cancel' && !isAllClear;
}

/** Ids of live alerts, as the edges show them to people; undefined when no edge says anything. */
async function liveAlerts(edges: readonly ServiceNode[]): Promise<string[] | undefined> {
  const answers = await Promise.all(
    edges.map(async ({ url }) => {
      try {
        const { alerts } = await fetchJson(new URL('/v1/alerts/recent', url).href, {
          schema: RecentAnswer,
          timeoutMs: TIMEOUT_MS,
        });
        return alerts.filter(isLive).map(({ id }) => id);
      } catch (error) {
        if (error instanceof FetchError) return undefined;
        throw error;
      }
    }),
  );
  const said = answers.filter((each) => each !== undefined);
  return said.length === 0 ? undefined : [...new Set(said.flat())];
}

/**
 * No drill on a system that is needed now, or that is not well already: nobody could tell what the drill broke. Rejects
 * with CliError.
 */
export async function checkBefore(deps: DrillDeps): Promise<void> {
  const { system, texts, now } = deps;
  if (system.canaries.length === 0) throw new CliError(EXIT.usage, [texts.drill.noCanaries]);
  const live = await liveAlerts(system.edges);
  if (live === undefined) throw new CliError(EXIT.unreachable, [texts.drill.noEdge]);
  if (live.length > 0) throw new CliError(EXIT.refused, [texts.drill.liveAlert(live)]);
  const { paths, silent } = await allPathsSeen(system.canaries, now);
  if (silent.length > 0) throw new CliError(EXIT.unreachable, [texts.drill.silent(silent)]);
  const bad = paths.filter(({ isProved }) => !isProved);
  if (bad.length > 0 || paths.length === 0)
    throw new CliError(EXIT.refused, [
      texts.drill.notProved(
        bad.map(({ canary, name }) => `${name} (${canary})`),
        paths.length,
      ),
    ]);
  // A path is called proved for a while after its probe was made deaf.
  const probes = await allProbes(system.canaries, system.internalToken, texts);
  const deaf = probes.filter(({ deafUntil }) => deafUntil !== null);
  if (deaf.length > 0)
    throw new CliError(EXIT.refused, [texts.drill.otherDrill(deaf.map(({ name }) => name))]);
}

/** Looks whether a drill has to end at once. Rejects with DrillEndedError. */
export type Guard = () => Promise<void>;

export function createGuard({ system, signal, now }: DrillDeps): Guard {
  let nextLookMs = 0;
  return async () => {
    if (signal.aborted) throw new DrillEndedError('stopped by whoever ran it');
    if (now() < nextLookMs) return;
    nextLookMs = now() + LOOK_EVERY_MS;
    const live = await liveAlerts(system.edges);
    if (live !== undefined && live.length > 0)
      throw new DrillEndedError(`ended because a real alert came (${live[0]})`);
  };
}

/** Looks again and again until there is something or the time is over. Rejects with DrillEndedError when the guard says so. */
export async function lookUntil<Found>(
  look: () => Promise<Found | undefined>,
  options: { readonly limitMs: number; readonly everyMs: number },
  deps: Pick<DrillDeps, 'now' | 'sleep'> & { readonly guard: Guard },
): Promise<Found | undefined> {
  const deadlineMs = deps.now() + options.limitMs;
  for (;;) {
    await deps.guard();
    const found = await look();
    if (found !== undefined) return found;
    if (deps.now() >= deadlineMs) return undefined;
    await deps.sleep(options.everyMs);
  }
}
