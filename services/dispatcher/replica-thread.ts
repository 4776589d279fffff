import { backup, DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { checkStructure, isCorruption } from './replica-file.ts';
import type { ReplicaTask, TaskAnswer } from './replica-task.ts';

/** A thread that does one task on a replica's file and answers how it went. Only replica-task.ts starts it. */
const task = workerData as ReplicaTask;
/** All pages in one step: this thread reads one instant of the file, and holds up nobody. */
const ALL_PAGES = 2 ** 31 - 1;

async function run(): Promise<TaskAnswer> {
  try {
    // Loaded when it is wanted: the other tasks are to begin at once.
    if (task.kind === 'verify') (await import('./verify-replica.ts')).verifyReplica(task.path);
    else await onFile(task);
    return { kind: 'done' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: isCorruption(error) ? 'damaged' : 'failed', message };
  }
}

async function onFile(task: ReplicaTask): Promise<void> {
  const db = new DatabaseSync(task.path, { readOnly: task.kind !== 'checkpoint' });
  try {
    db.exec('PRAGMA busy_timeout = 2000; PRAGMA cache_size = -16384;');
    if (task.kind === 'check') checkStructure(db);
    else if (task.kind === 'copy') await backup(db, task.to, { rate: ALL_PAGES });
    else checkpoint(db);
  } finally {
    db.close();
  }
}

/**
 * PASSIVE: readers and writers are not held up, and what they still need stays in the log. After it, if nobody is writing
 * or reading at this moment, the log is cut off: its length says how much of it is still to be copied. Whoever writes
 * first after that has to sync the log's beginning: best this thread, with a change that changes nothing.
 */
function checkpoint(db: DatabaseSync): void {
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(PASSIVE)');
  const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() ?? {};
  if (busy !== 0) return;
  try {
    db.exec('UPDATE state SET one = 1');
  } catch {
    // Somebody else is writing already.
  }
}

parentPort?.postMessage(await run());
