import { z } from 'zod';
import { FetchError, fetchJson, fetchText } from '../../../shared/http/fetch-json.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import { allPathsSeen, type SeenPath } from './canaries.ts';
import { createGuard, type Guard, lookUntil } from './checks.ts';
import { type Drill, type DrillDeps, type DrillResult, secondsSince } from './drill.ts';
import { runCommand } from './run-command.ts';

export const RESTARTABLE = ['dispatcher', 'ingest', 'edge', 'canary'] as const;
export type Restartable = (typeof RESTARTABLE)[number];

const ANSWERS_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 120_000;
/** Two rounds of every path. */
const PROVED_WITHIN_MS = 150_000;
/** P11: from cold to work. */
const RECOVERED_WITHIN_SECONDS = 120;
const EVERY_MS = 200;
const REQUEST_MS = 2_000;
/** The launcher waits until the old process has ended. */
const CONTROL_MS = 30_000;

/** One service of one node ends in order and begins anew. */
export function restart(service: Restartable, node: string | undefined, what: string): Drill {
  return { kind: 'restart', hurts: true, what, run: (deps) => run(service, node, deps) };
}

/** The node that is restarted: the one that was named, or the first. Throws CliError. */
export function nodeToRestart(
  service: Restartable,
  name: string | undefined,
  { system, texts }: Pick<DrillDeps, 'system' | 'texts'>,
): ServiceNode {
  const nodes = {
    dispatcher: system.dispatchers,
    ingest: system.ingests,
    edge: system.edges,
    canary: system.canaries,
  }[service];
  const node = name === undefined ? nodes[0] : nodes.find((each) => each.name === name);
  if (node !== undefined) return node;
  throw new CliError(EXIT.usage, [
    texts.badOption('--node', nodes.map((each) => each.name).join(', ')),
  ]);
}

async function run(
  service: Restartable,
  name: string | undefined,
  deps: DrillDeps,
): Promise<DrillResult> {
  const { texts, say, now } = deps;
  const node = nodeToRestart(service, name, deps);
  const restartIt = restarter(service, node, deps);
  const before = await processStart(node);
  if (before === undefined)
    throw new CliError(EXIT.unreachable, [texts.ingestFailed(node.name, node.url, undefined)]);
  const guard = createGuard(deps);
  const startMs = now();
  say(texts.drill.restarting(service, node.name));
  const failure = await restartIt();
  if (failure !== undefined)
    return { ok: false, measures: {}, note: `${service} ${node.name}: ${failure}`.slice(0, 500) };

  const looking = { ...deps, guard };
  const seconds = () => secondsSince(startMs, now());
  const isNew = async () => {
    const started = await processStart(node);
    return started !== undefined && started !== before ? now() : undefined;
  };
  const limits = { limitMs: ANSWERS_WITHIN_MS, everyMs: EVERY_MS };
  const bornMs = await lookUntil(isNew, limits, looking);
  const answers = bornMs === undefined ? undefined : secondsSince(startMs, bornMs);
  if (answers !== undefined) say(texts.drill.answers(answers));
  const isReady = async () => ((await answersReady(node)) ? seconds() : undefined);
  const ready =
    bornMs === undefined
      ? undefined
      : await lookUntil(isReady, { limitMs: READY_WITHIN_MS, everyMs: EVERY_MS }, looking);
  if (ready !== undefined) say(texts.drill.ready(ready));
  const proved =
    bornMs === undefined || ready === undefined
      ? undefined
      : await untilProved({ service, node, startMs, bornMs }, guard, deps);
  return resultOf(service, node, { answers, ready, proved });
}

interface Reborn {
  readonly service: Restartable;
  readonly node: ServiceNode;
  readonly startMs: number;
  /** When the new process was first seen to answer. */
  readonly bornMs: number;
}

/** Seconds until the own canary (that of the same name, or else every one) proved each path through it anew. */
async function untilProved(
  { service, node, startMs, bornMs }: Reborn,
  guard: Guard,
  deps: DrillDeps,
): Promise<number | undefined> {
  const { system, texts, say, now } = deps;
  const own = system.canaries.filter(({ name }) => name === node.name);
  const canaries = own.length > 0 ? own : system.canaries;
  const isThrough = ({ path, canary }: SeenPath) =>
    service === 'dispatcher'
      ? path.dispatcher === node.name
      : service === 'ingest'
        ? path.ingest === node.name
        : service === 'canary' && canary === node.name;
  const look = async () => {
    const { paths, silent } = await allPathsSeen(canaries, now);
    const through = paths.filter(isThrough);
    // No path leads through an edge; a dispatcher that no canary looks at is not proved by that.
    if (silent.length > 0 || (through.length === 0 && service !== 'edge')) return undefined;
    return through.every(({ provedAtMs }) => provedAtMs !== undefined && provedAtMs >= bornMs)
      ? secondsSince(startMs, now())
      : undefined;
  };
  const limits = { limitMs: PROVED_WITHIN_MS, everyMs: EVERY_MS };
  const seconds = await lookUntil(look, limits, { ...deps, guard });
  if (service !== 'edge')
    say(seconds === undefined ? texts.drill.notRecovered : texts.drill.recovered(seconds));
  return seconds;
}

function resultOf(
  service: Restartable,
  node: ServiceNode,
  took: Record<'answers' | 'ready' | 'proved', number | undefined>,
): DrillResult {
  const problems = [
    ...(took.answers === undefined ? ['no new process answered'] : []),
    ...(took.answers !== undefined && took.ready === undefined ? ['was not ready'] : []),
    ...(took.ready !== undefined && took.proved === undefined ? ['its paths were not proved'] : []),
    ...(took.proved !== undefined && took.proved > RECOVERED_WITHIN_SECONDS
      ? [`took more than ${RECOVERED_WITHIN_SECONDS} s`]
      : []),
  ];
  const said = Object.entries(took).flatMap(([what, seconds]) =>
    seconds === undefined ? [] : [`${what} after ${seconds} s`],
  );
  return {
    ok: problems.length === 0,
    measures: took.proved === undefined ? {} : { toRecoverySeconds: took.proved },
    note: [`${service} ${node.name} restarted`, ...said, ...problems].join('; '),
  };
}

/** How it is restarted here: by the launcher, or by the operator's command. Each resolves to what went wrong. */
function restarter(
  service: Restartable,
  node: ServiceNode,
  { system, texts, signal }: DrillDeps,
): () => Promise<string | undefined> {
  const { restartCommand, control } = system;
  if (restartCommand !== undefined) {
    const argv = restartCommand.map((part) =>
      part.replaceAll('{service}', service).replaceAll('{node}', node.name),
    );
    return () => runCommand(argv, signal);
  }
  if (control === undefined) throw new CliError(EXIT.usage, [texts.drill.noRestart]);
  return async () => {
    try {
      await fetchJson(new URL(`/processes/${service}-${node.name}/restart`, control).href, {
        schema: z.unknown(),
        timeoutMs: CONTROL_MS,
        json: {},
      });
      return undefined;
    } catch (error) {
      if (error instanceof FetchError) return `the launcher did not restart it: ${error.message}`;
      throw error;
    }
  };
}

/** When the process that answers was started, as its metrics have it: another value is another process. */
async function processStart({ url }: ServiceNode): Promise<string | undefined> {
  try {
    const metrics = await fetchText(new URL('/metrics', url).href, { timeoutMs: REQUEST_MS });
    return /^process_start_time_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics)?.[1];
  } catch (error) {
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}

async function answersReady({ url }: ServiceNode): Promise<boolean> {
  try {
    await fetchText(new URL('/ready', url).href, { timeoutMs: REQUEST_MS });
    return true;
  } catch (error) {
    if (error instanceof FetchError) return false;
    throw error;
  }
}
