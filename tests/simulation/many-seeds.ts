import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Failure } from './run-simulation.ts';

/** Seeds [from, from + count), without a planted bug or with the one of that name. */
export interface SeedTask {
  readonly from: number;
  readonly count: number;
  readonly bug: string | undefined;
  readonly stopAtFirst: boolean;
}

export interface SeedFailure extends Failure {
  readonly seed: number;
}

export interface SeedReport {
  readonly task: SeedTask;
  readonly seedsRun: number;
  readonly steps: number;
  readonly failures: readonly SeedFailure[];
}

/** Plays the tasks on as many threads as there are cores; the reports come in the tasks' order. */
export async function playAll(
  tasks: readonly SeedTask[],
  onReport: (report: SeedReport) => void = () => undefined,
): Promise<SeedReport[]> {
  const reports = new Map<SeedTask, SeedReport>();
  const waiting = [...tasks];
  const threads = Math.min(tasks.length, Math.max(1, availableParallelism()));
  await Promise.all(
    Array.from({ length: threads }, () =>
      oneThread(waiting, (report) => {
        reports.set(report.task, report);
        onReport(report);
      }),
    ),
  );
  return tasks.flatMap((task) => reports.get(task) ?? []);
}

async function oneThread(
  waiting: SeedTask[],
  onReport: (report: SeedReport) => void,
): Promise<void> {
  const worker = new Worker(new URL('./seed-worker.ts', import.meta.url));
  try {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const report = await answerOf(worker, task);
      onReport({ ...report, task });
    }
  } finally {
    await worker.terminate();
  }
}

function answerOf(worker: Worker, task: SeedTask): Promise<SeedReport> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      worker.off('message', onMessage);
      worker.off('error', onError);
    };
    const onMessage = (report: SeedReport) => {
      settle();
      resolve(report);
    };
    const onError = (error: unknown) => {
      settle();
      reject(error);
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(task);
  });
}
