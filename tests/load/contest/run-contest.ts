import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Certificate,
  makeCertificate,
} from '../../../services/dispatcher/transports/test-support/certificate.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import { startNghttpd } from '../limit/nghttp.ts';
import { type Child, startChild } from './child.ts';
import type { ContenderWord, Measure, Target, Turn } from './contender.ts';
import { CONTESTS, type Contest, type Entry } from './contests.ts';
import { startSink } from './start-sink.ts';
import { type Result, type Round, resultsOf } from './statistics.ts';

export interface ContestOptions {
  readonly rounds: number;
  /** Share of each contender's messages; 1 is what the page of figures was made with. */
  readonly scale: number;
  /** No round is begun after this time, counted from the first round. */
  readonly limitMs: number;
  /** Contenders whose name this matches; default all. */
  readonly only?: RegExp;
  readonly onProgress: (line: string) => void;
}

export interface ContestResult {
  readonly name: string;
  readonly baseline: string;
  readonly rounds: number;
  readonly results: readonly Result[];
  /** Who could not do the job, and why; the rest went on without them. */
  readonly failures: readonly { readonly contender: string; readonly why: string }[];
  /** Every turn, for whoever wants to make other ratios. */
  readonly turns: readonly Round[];
}

const START_MS = 30_000;
/** Share of a turn that is done once before the first round and not counted. */
const WARM_UP = 0.5;
/** A contender that needs longer for a turn has failed. */
const TURN_MS = 60_000;

interface Running {
  readonly name: string;
  readonly child: Child;
  readonly messages: number;
}

/** The contenders take turns in every round, in one run on one machine, against one provider. */
export async function runContest(key: string, options: ContestOptions): Promise<ContestResult> {
  const contest = CONTESTS[key];
  if (!contest) throw new Error(`there is no contest ${key}`);
  await using cleanup = new CleanupStack(10_000);
  const failures: { contender: string; why: string }[] = [];
  const target = await startTarget(contest, cleanup);
  const fail = (contender: string, error: unknown) => {
    const why = String(errorFields(error).error ?? error);
    failures.push({ contender, why });
    options.onProgress(`${contest.name}: ${contender} failed: ${why}`);
  };

  const running: Running[] = [];
  for (const [name, entry] of entriesOf(contest, options.only)) {
    options.onProgress(`${contest.name}: warming up ${name}`);
    try {
      running.push(await startContender({ key, name, entry, target, options }, cleanup));
    } catch (error) {
      fail(name, error);
    }
  }
  const turns: Round[] = [];
  const endMs = performance.now() + options.limitMs;
  while (turns.length < options.rounds && (turns.length === 0 || performance.now() < endMs)) {
    options.onProgress(`${contest.name}: round ${turns.length + 1} of ${options.rounds}`);
    const round: Record<string, Turn> = {};
    for (const contender of rotated(running, turns.length)) {
      try {
        round[contender.name] = await takeTurn(contender);
      } catch (error) {
        fail(contender.name, error);
        contender.child.kill();
        running.splice(running.indexOf(contender), 1);
      }
    }
    turns.push(round);
  }
  return {
    name: contest.name,
    baseline: contest.baseline,
    rounds: turns.length,
    results: inOrder(resultsOf(turns, contest.baseline), Object.keys(contest.entries)),
    failures,
    turns,
  };
}

function entriesOf(contest: Contest, only: RegExp | undefined): [string, Entry][] {
  return Object.entries(contest.entries).filter(
    ([name]) => only === undefined || only.test(name) || name === contest.baseline,
  );
}

function inOrder(results: readonly Result[], names: readonly string[]): Result[] {
  return names.flatMap((name) => results.filter(({ contender }) => contender === name));
}

/** The provider of a contest, and the certificate that its clients have to trust. */
async function startTarget(contest: Contest, cleanup: CleanupStack): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-'));
  cleanup.add('certificate', () => rmSync(folder, { recursive: true, force: true }));
  const certificate: Certificate = makeCertificate();
  const certFile = join(folder, 'cert.pem');
  writeFileSync(certFile, certificate.cert);
  const { provider } = contest;
  const tls = { keyPem: certificate.key, certPem: certificate.cert };
  const port =
    provider === 'none'
      ? 0
      : provider === 'nghttpd'
        ? await startNghttpd({ ...tls, folder }, cleanup)
        : (await startSink({ ...provider, ...tls }, cleanup)).port;
  return { port, certPem: certificate.cert, certFile };
}

async function startContender(
  {
    key,
    name,
    entry,
    target,
    options,
  }: { key: string; name: string; entry: Entry; target: Target; options: ContestOptions },
  cleanup: CleanupStack,
): Promise<Running> {
  const child = startChild(
    {
      file: 'contest/contender-process.ts',
      args: [key, name, JSON.stringify(target)],
      env: { NODE_EXTRA_CA_CERTS: target.certFile },
      name,
    },
    cleanup,
  );
  const ready = await child.next<ContenderWord>(START_MS);
  if (ready.kind === 'failed') throw new Error(ready.why);
  const contender = { name, child, messages: Math.ceil(entry.messages * options.scale) };
  await takeTurn({ ...contender, messages: Math.ceil(contender.messages * WARM_UP) });
  return contender;
}

async function takeTurn({ child, messages }: Running): Promise<Turn> {
  const word = await child.ask<ContenderWord>({ messages } satisfies Measure, TURN_MS);
  if (word.kind === 'turn') return word.turn;
  throw new Error(word.kind === 'failed' ? word.why : 'said ready twice');
}

/** Nobody is always first, or always after the same one. */
function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const first = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
