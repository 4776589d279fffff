import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { checkStructure, isCorruption } from './replica-file.ts';
import type { ReplicaTask, TaskAnswer } from './replica-task.ts';

/** A thread that does one task on a replica's file and answers how it went. Only replica-task.ts starts it. */
const { task, path } = workerData as { task: ReplicaTask; path: string };

async function run(): Promise<TaskAnswer> {
  try {
    if (task !== 'verify') onFile(task);
    // Loaded when it is wanted: the other tasks are to begin at once.
    else (await import('./verify-replica.ts')).verifyReplica(path);
    return { kind: 'done' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: isCorruption(error) ? 'damaged' : 'failed', message };
  }
}

function onFile(what: 'check' | 'checkpoint'): void {
  const db = new DatabaseSync(path, { readOnly: what === 'check' });
  try {
    db.exec('PRAGMA busy_timeout = 2000; PRAGMA cache_size = -16384;');
    if (what === 'check') checkStructure(db);
    // PASSIVE: readers and writers are not held up, and what they still need stays in the log.
    else db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
  } finally {
    db.close();
  }
}

parentPort?.postMessage(await run());
