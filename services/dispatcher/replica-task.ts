import { Worker } from 'node:worker_threads';
import { DamagedReplicaError } from './replica-file.ts';

/**
 * What is done to a replica's file in a thread, so that nothing else waits for it: `check` SQLite's own check of the
 * structure; `verify` that and every row and both indexes of a peer's copy; `checkpoint` the log copied into the file
 * and synced; `copy` the file as it stands at one instant copied to `to`.
 */
export type ReplicaTask =
  | { readonly kind: 'check' | 'verify' | 'checkpoint'; readonly path: string }
  | { readonly kind: 'copy'; readonly path: string; readonly to: string };

/** What a thread answers. `damaged` says what is wrong with the file; `failed` why the task could not be done. */
export type TaskAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'damaged' | 'failed'; readonly message: string };

/** Does a task in a thread of its own. Throws {@link DamagedReplicaError} when the file is not as it should be. */
export async function runReplicaTask(task: ReplicaTask, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL('./replica-thread.ts', import.meta.url), {
    workerData: task,
    // Options of the main thread are none of its business, and some (of a test runner) it may not have.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const stop = () => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const answer = await new Promise<TaskAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error(`${task.kind} of the replica was ended`)));
    });
    if (answer.kind === 'damaged') throw new DamagedReplicaError(answer.message);
    if (answer.kind === 'failed') throw new Error(answer.message);
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
