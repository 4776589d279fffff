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
  /** Whoever does not answer by then is an error; a contest begins no round after its part of nine tenths of it. */
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

/** A process of ours, and the signal that it has ended. */
interface Started {
  readonly child: ChildProcess;
  readonly ended: AbortSignal;
}

interface Bench extends Omit<BenchOptions, 'limitMs'> {
  readonly standIn: StandIn;
  readonly endMs: number;
  readonly lastRoundMs: number;
}

/** All contests one after the other; the contenders of each take turns in every round, in one run on one machine. */
export async function runBench(options: BenchOptions): Promise<Record<string, ContestResult>> {
  await using cleanup = new CleanupStack();
  const startMs = performance.now();
  const endMs = startMs + options.limitMs;
  const standIn: StandIn = await messageOf(startProcess('stand-in-process.ts', [], cleanup), endMs);
  const contests = Object.entries(CONTESTS);
  const results: Record<string, ContestResult> = {};
  for (const [i, [key, contest]] of contests.entries()) {
    const lastRoundMs = startMs + (0.9 * options.limitMs * (i + 1)) / contests.length;
    results[key] = await runContest(key, contest, { ...options, standIn, endMs, lastRoundMs });
  }
  return results;
}

async function runContest(key: string, contest: Contest, bench: Bench): Promise<ContestResult> {
  await using cleanup = new CleanupStack();
  const names = Object.keys(contest.contenders);
  const messages = Math.ceil(contest.messages * bench.scale);
  const contenders = new Map<string, Started>();
  for (const name of names) {
    const args = [key, name, JSON.stringify(bench.standIn)];
    const contender = startProcess('contender-process.ts', args, cleanup);
    contenders.set(name, contender);
    await messageOf(contender, bench.endMs);
    bench.onProgress(`${contest.name}: warming up ${name}`);
    await takeTurn(contender, messages, bench.endMs);
  }
  const rounds: Record<string, Turn>[] = [];
  while (rounds.length < bench.rounds && performance.now() < bench.lastRoundMs) {
    bench.onProgress(`${contest.name}: round ${rounds.length + 1} of ${bench.rounds}`);
    const turns: Record<string, Turn> = {};
    for (const name of rotated(names, rounds.length)) {
      const contender = contenders.get(name);
      if (contender) turns[name] = await takeTurn(contender, messages, bench.endMs);
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

function startProcess(file: string, args: string[], cleanup: CleanupStack): Started {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, args, { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const end = new AbortController();
  const name = [file, ...args.slice(0, 2)].join(' ');
  const exited = once(child, 'exit').then(
    ([code]) => end.abort(new Error(`${name} ended with ${code}`)),
    (cause: unknown) => end.abort(new Error(`${name} failed`, { cause })),
  );
  cleanup.add(file, async () => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
    await exited;
    clearTimeout(timer);
  });
  return { child, ended: end.signal };
}

function takeTurn(contender: Started, messages: number, endMs: number): Promise<Turn> {
  if (contender.child.connected) contender.child.send({ messages } satisfies Measure);
  return messageOf(contender, endMs);
}

/** The next message of a process of ours; rejects when it ends, or says nothing until the end of the run. */
async function messageOf<Message>({ child, ended }: Started, endMs: number): Promise<Message> {
  const leftMs = Math.max(1, Math.round(endMs - performance.now()));
  const signal = AbortSignal.any([AbortSignal.timeout(leftMs), ended]);
  try {
    const [message] = await once(child, 'message', { signal });
    return message;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
