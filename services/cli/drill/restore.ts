import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createZstdDecompress } from 'node:zlib';
import { DEPARTMENTS } from '../../../shared/alert/area.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { AudienceAnswer } from '../../../shared/receipt/progress.ts';
import { CopyCheck } from '../../../shared/subscription/copy-check.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import { createGuard } from './checks.ts';
import { compareCounts, type DepartmentCounts } from './compare-counts.ts';
import {
  type Drill,
  type DrillDeps,
  DrillEndedError,
  type DrillResult,
  secondsSince,
} from './drill.ts';

const MAX_BYTES = 8 * 1024 ** 3;
const COPY_LIMIT_MS = 15 * 60_000;
const CHECK_LIMIT_MS = 15 * 60_000;
const COUNT_TIMEOUT_MS = 10_000;
/** Departments that one dispatcher is asked for at a time. */
const ASKED_AT_ONCE = 4;
/** The dispatcher's own check of a copy, as a program: nobody else knows what a replica has to be. */
const CHECK_PROGRAM = fileURLToPath(
  new URL('../../dispatcher/check-registry-copy.ts', import.meta.url),
);
const MAX_ANSWER = 1024 * 1024;
const GUARD_EVERY_MS = 500;

/** A copy of the registry is fetched, opened on the side, checked against what the dispatchers serve by, and deleted. */
export function restore(from: string | undefined, what: string): Drill {
  return { kind: 'restore', hurts: false, what, run: (deps) => run(from, deps) };
}

async function run(from: string | undefined, deps: DrillDeps): Promise<DrillResult> {
  const { system, texts, say } = deps;
  const giver = system.dispatchers.find(({ name }) => from === undefined || name === from);
  if (giver === undefined)
    throw new CliError(EXIT.usage, [
      texts.badOption('--node', system.dispatchers.map(({ name }) => name).join(', ')),
    ]);
  // A real alert ends the copying: it takes the giver's disk and network.
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, deps.signal]);
  const done = new AbortController();
  const guarding = guardUntil(done.signal, deps).catch((error: unknown) => over.abort(error));
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-restore-'));
  try {
    return await restoreInto(join(folder, 'registry.sqlite'), giver, signal, deps);
  } catch (error) {
    if (over.signal.aborted) throw over.signal.reason;
    throw deps.signal.aborted ? new DrillEndedError('stopped by whoever ran it') : error;
  } finally {
    done.abort();
    await rm(folder, { recursive: true, force: true });
    await guarding;
    say(texts.drill.deleted);
  }
}

async function guardUntil(done: AbortSignal, deps: DrillDeps): Promise<void> {
  const guard = createGuard(deps);
  while (!done.aborted) {
    await guard();
    await deps.sleep(GUARD_EVERY_MS);
  }
}

async function restoreInto(
  path: string,
  giver: ServiceNode,
  signal: AbortSignal,
  deps: DrillDeps,
): Promise<DrillResult> {
  const { system, texts, say, now } = deps;
  const before = await liveCounts(deps);
  const startMs = now();
  say(texts.drill.copying(giver.name));
  const failure = await download(giver, path, system.internalToken, signal);
  signal.throwIfAborted();
  if (failure !== undefined) return failed(giver, failure);
  const { size } = await stat(path);
  say(texts.drill.copied(Math.round(size / 1024), secondsSince(startMs, now())));
  const check = await checkInChild(path, signal);
  signal.throwIfAborted();
  const toRecoverySeconds = secondsSince(startMs, now());
  if (!check.whole) return failed(giver, check.problem);
  say(texts.drill.checked(check.devices, check.sample, toRecoverySeconds));
  const live = [...before, ...(await liveCounts(deps))];
  return judge(giver, check, live, toRecoverySeconds);
}

function judge(
  giver: ServiceNode,
  check: Extract<CopyCheck, { whole: true }>,
  live: readonly DepartmentCounts[],
  toRecoverySeconds: number,
): DrillResult {
  const differences = compareCounts(check.departments, live);
  const what = `${check.devices} devices and ${check.removed} removed ones restored from dispatcher ${giver.name}, ${check.sample} records read`;
  const compared = `${DEPARTMENTS.length} departments compared`;
  return {
    ok: differences.length === 0,
    measures: { toRecoverySeconds },
    note: [
      what,
      compared,
      ...(differences.length === 0 ? [] : [`other counts: ${differences.slice(0, 5).join(', ')}`]),
    ].join('; '),
  };
}

function failed(giver: ServiceNode, problem: string): DrillResult {
  return { ok: false, measures: {}, note: `dispatcher ${giver.name}: ${problem}`.slice(0, 500) };
}

/** How many devices each dispatcher that answers would send to, by department and transport. Rejects with CliError. */
async function liveCounts({ system, texts }: DrillDeps): Promise<DepartmentCounts[]> {
  const counts = await Promise.all(
    system.dispatchers.map(async (dispatcher) => {
      try {
        return await countsOf(dispatcher, system.internalToken);
      } catch (error) {
        if (error instanceof FetchError) return undefined;
        throw error;
      }
    }),
  );
  const said = counts.filter((each) => each !== undefined);
  if (said.length === 0) throw new CliError(EXIT.unreachable, [texts.drill.noCounts]);
  return said;
}

async function countsOf({ url }: ServiceNode, token: string): Promise<DepartmentCounts> {
  const counts: Record<string, Record<string, number>> = {};
  const left = [...DEPARTMENTS];
  const ask = async () => {
    for (let area = left.shift(); area !== undefined; area = left.shift()) {
      const address = new URL(`/v1/audience?area=${area}`, url).href;
      const options = { schema: AudienceAnswer, timeoutMs: COUNT_TIMEOUT_MS, token };
      counts[area] = (await fetchJson(address, options)).counts;
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
  return counts;
}

/** Resolves to what went wrong. */
async function download(
  giver: ServiceNode,
  path: string,
  token: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const response = await fetch(new URL('/v1/registry/snapshot', giver.url), {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(COPY_LIMIT_MS)]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return `answered ${response.status} when asked for a copy`;
    }
    let bytes = 0;
    const bounded = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        bytes += chunk.byteLength;
        if (bytes > MAX_BYTES) throw new Error('it is too large');
        yield chunk;
      }
    };
    // People's push addresses are in it: nobody else on this machine may read them.
    const file = createWriteStream(path, { mode: 0o600, flush: true });
    await pipeline(Readable.fromWeb(response.body), createZstdDecompress(), bounded, file);
    return undefined;
  } catch (error) {
    return `the copy did not come whole: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function checkInChild(path: string, signal: AbortSignal): Promise<CopyCheck> {
  const options = ['--disable-warning=ExperimentalWarning', CHECK_PROGRAM, path];
  const child = spawn(process.execPath, options, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(CHECK_LIMIT_MS)]),
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out = `${out}${String(data)}`.slice(0, MAX_ANSWER);
  });
  child.stderr.on('data', (data) => {
    err = `${err}${String(data)}`.slice(-300);
  });
  const problem = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : `ended with ${code}: ${err}`));
  });
  if (problem !== undefined)
    return { v: 1, whole: false, problem: `it could not be checked: ${problem}`.slice(0, 400) };
  return CopyCheck.parse(JSON.parse(out));
}
