import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import type { Measure, StandIn, Turn } from './contender.ts';
import { CONTESTS, type Contest } from './contests.ts';
import { type Result, resultsOf } from './statistics.ts';

export interface BenchOptions {
  readonly rounds: number;
  /** Share of each contest's messages; 1 is what the page of figures was made with. */
  readonly scale: number;
  /** No round is begun after it, and whoever does not answer by then is an error. */
  readonly limitMs: number;
  readonly onProgress: (line: string) => void;
}

export interface ContestResult {
  readonly name: string;
  readonly baseline: string;
  readonly messagesPerTurn: number;
  readonly rounds: number;
  readonly results: readonly Result[];
}

type Bench = Omit<BenchOptions, 'limitMs'> & { readonly endMs: number; readonly standIn: StandIn };

/** All contests one after the other; the contenders of each take turns in every round, in one run on one machine. */
export async function runBench(options: BenchOptions): Promise<Record<string, ContestResult>> {
  await using cleanup = new CleanupStack();
  const endMs = performance.now() + options.limitMs;
  const process = startProcess('stand-in-process.ts', [], cleanup);
  const standIn: StandIn = await messageOf(process, endMs);
  const results: Record<string, ContestResult> = {};
  for (const [key, contest] of Object.entries(CONTESTS))
    results[key] = await runContest(key, contest, { ...options, endMs, standIn });
  return results;
}

async function runContest(key: string, contest: Contest, bench: Bench): Promise<ContestResult> {
  await using cleanup = new CleanupStack();
  const names = Object.keys(contest.contenders);
  const messages = Math.ceil(contest.messages * bench.scale);
  const processes = new Map<string, ChildProcess>();
  for (const name of names) {
    const args = [key, name, JSON.stringify(bench.standIn)];
    const process = startProcess('contender-process.ts', args, cleanup);
    processes.set(name, process);
    await messageOf(process, bench.endMs);
    bench.onProgress(`${contest.name}: warming up ${name}`);
    await takeTurn(process, messages, bench.endMs);
  }
  const rounds: Record<string, Turn>[] = [];
  while (rounds.length < bench.rounds && performance.now() < bench.endMs) {
    bench.onProgress(`${contest.name}: round ${rounds.length + 1} of ${bench.rounds}`);
    const turns: Record<string, Turn> = {};
    for (const name of rotated(names, rounds.length)) {
      const process = processes.get(name);
      if (process) turns[name] = await takeTurn(process, messages, bench.endMs);
    }
    rounds.push(turns);
  }
  const results = resultsOf(rounds, contest.baseline);
  return {
    name: contest.name,
    baseline: contest.baseline,
    messagesPerTurn: messages,
    rounds: rounds.length,
    results: names.flatMap((name) => results.filter(({ contender }) => contender === name)),
  };
}

/** Nobody is always first, or always after the same one. */
function rotated(names: readonly string[], by: number): string[] {
  const first = by % names.length;
  return [...names.slice(first), ...names.slice(0, first)];
}

function startProcess(file: string, args: string[], cleanup: CleanupStack): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const process = fork(path, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  cleanup.add(file, async () => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const exited = once(process, 'exit');
    process.disconnect();
    const timer = setTimeout(() => process.kill('SIGKILL'), 2_000);
    await exited;
    clearTimeout(timer);
  });
  return process;
}

function takeTurn(process: ChildProcess, messages: number, endMs: number): Promise<Turn> {
  process.send({ messages } satisfies Measure);
  return messageOf(process, endMs);
}

/** The next message of a process of ours; rejects when it ends, or says nothing until the end of the run. */
async function messageOf<Message>(process: ChildProcess, endMs: number): Promise<Message> {
  const leftMs = Math.max(1, Math.round(endMs - performance.now()));
  const signal = AbortSignal.any([AbortSignal.timeout(leftMs), endOf(process)]);
  const [message] = await once(process, 'message', { signal });
  return message;
}

function endOf(process: ChildProcess): AbortSignal {
  const controller = new AbortController();
  process.once('exit', (code) =>
    controller.abort(new Error(`a process of the benchmark ended with ${code}`)),
  );
  return controller.signal;
}
