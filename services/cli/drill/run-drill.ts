import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { DrillRecord, DrillsAnswer, drillKey } from '../../../shared/receipt/drill.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { checkBefore } from './checks.ts';
import { type Drill, type DrillDeps, DrillEndedError, type DrillResult } from './drill.ts';

const TIMEOUT_MS = 5_000;
/** Earlier records that a canary is given at most: those that it missed while it was away. */
const MAX_CAUGHT_UP = 50;

export interface RunOptions {
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Who runs it, at most 80 characters. */
  readonly by: string;
}

/**
 * `tocsin drill …`: looks whether it may be, asks, does it, records it at every canary, says how it went. Rejects with
 * CliError: it could not begin, or it ended badly.
 */
export async function runDrill(drill: Drill, options: RunOptions, deps: DrillDeps): Promise<void> {
  const { texts, say, terminal, now } = deps;
  say(texts.drill.checking);
  await checkBefore(deps);
  say(drill.what);
  await confirm(drill, options, deps);
  const startedMs = now();
  const result = await resultOf(drill, deps);
  const record: DrillRecord = {
    v: 1,
    kind: drill.kind,
    startedAt: new Date(startedMs).toISOString(),
    endedAt: new Date(Math.max(startedMs, now())).toISOString(),
    ok: result.ok,
    measures: result.measures,
    by: options.by,
    note: result.note.slice(0, 500),
  };
  const kept = await keepEverywhere(record, deps);
  const total = deps.system.canaries.length;
  if (options.json) terminal.out(`${JSON.stringify({ v: 1, record, kept, canaries: total })}\n`);
  for (const line of texts.drill.summary(record)) say(line);
  say(texts.drill.kept(kept, total));
  if (!record.ok) throw new CliError(EXIT.refused, [texts.drill.failed(drill.kind)]);
  if (kept === 0) throw new CliError(EXIT.unreachable, [texts.drill.notKept]);
}

async function resultOf(drill: Drill, deps: DrillDeps): Promise<DrillResult> {
  try {
    return await drill.run(deps);
  } catch (error) {
    if (error instanceof DrillEndedError) return { ok: false, measures: {}, note: error.message };
    // What could not take place is no drill; what broke in the middle of it is a drill that failed.
    if (error instanceof FetchError) return { ok: false, measures: {}, note: error.message };
    throw error;
  }
}

/** What hurts a living system is asked for; a script says --yes. */
async function confirm(
  drill: Drill,
  options: RunOptions,
  { terminal, texts }: DrillDeps,
): Promise<void> {
  if (!drill.hurts || options.yes) return;
  const typed = terminal.isInteractive
    ? await terminal.ask(texts.drill.confirm(texts.drill.confirmWord))
    : '';
  if (typed.trim().toUpperCase() !== texts.drill.confirmWord)
    throw new CliError(EXIT.usage, [texts.drill.notConfirmed]);
}

/** Gives the record to every canary, and to each what it missed of what others have. Resolves to how many have kept it. */
async function keepEverywhere(record: DrillRecord, { system }: DrillDeps): Promise<number> {
  const lists = await Promise.all(
    system.canaries.map(async (canary) => ({ canary, drills: await drillsOf(canary.url) })),
  );
  const all = new Map(
    lists.flatMap(({ drills }) => (drills ?? []).map((each) => [drillKey(each), each] as const)),
  );
  const kept = await Promise.all(
    lists.map(async ({ canary, drills }) => {
      const isKept = await keepAt(canary.url, record, system.internalToken);
      const has = new Set((drills ?? []).map(drillKey));
      const missed =
        drills === undefined ? [] : [...all.values()].filter((each) => !has.has(drillKey(each)));
      for (const each of missed.slice(0, MAX_CAUGHT_UP))
        await keepAt(canary.url, each, system.internalToken);
      return isKept;
    }),
  );
  return kept.filter(Boolean).length;
}

/** Undefined: it did not answer. */
async function drillsOf(url: string): Promise<DrillRecord[] | undefined> {
  try {
    const options = { schema: DrillsAnswer, timeoutMs: TIMEOUT_MS };
    return (await fetchJson(new URL('/v1/drills', url).href, options)).drills;
  } catch (error) {
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}

async function keepAt(url: string, record: DrillRecord, token: string): Promise<boolean> {
  try {
    await fetchJson(new URL('/v1/drills', url).href, {
      schema: z.undefined(),
      timeoutMs: TIMEOUT_MS,
      token,
      json: DrillRecord.parse(record),
    });
    return true;
  } catch (error) {
    if (error instanceof FetchError) return false;
    throw error;
  }
}
