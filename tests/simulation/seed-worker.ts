import { parentPort } from 'node:worker_threads';
import type { SeedTask } from './many-seeds.ts';
import { playSeeds } from './play-seeds.ts';

parentPort?.on('message', (task: SeedTask) => {
  parentPort?.postMessage(playSeeds(task));
});
