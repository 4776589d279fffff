import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import { makeRecords } from './record-batch.ts';
import type { BatchMessage } from './record-worker.ts';

// Runs in a thread of its own, see record-worker.ts. On Linux a priority belongs to a thread, and 0 is the one that
// calls; elsewhere it would slow down the whole process.
if (process.platform === 'linux') lowerPriority();

parentPort?.on('message', ({ buffer, count }: BatchMessage) => {
  makeRecords(Buffer.from(buffer), count);
  parentPort?.postMessage({ buffer, count } satisfies BatchMessage, [buffer]);
});

function lowerPriority(): void {
  try {
    os.setPriority(0, os.constants.priority.PRIORITY_LOW);
  } catch {
    // Some sandboxes forbid it. Records are then made at the usual priority, which is better than none.
  }
}
