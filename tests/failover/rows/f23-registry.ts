import { closeSync, existsSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { raise } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const FILES = ['registry.sqlite', 'registry.sqlite-wal', 'registry.sqlite-shm'] as const;
const PAGE = 4096;

export const corruptRegistry: Row = {
  id: 'F23',
  title:
    'a dispatcher’s registry damaged while it is down (bytes flipped, cut short, or no database at all); then it is the only one',
  promise: 'the replica is rebuilt from the bus and nobody is missed',
  runs: { full: 20, short: 1, seconds: 3 },
  seenToFail: 'both buses killed, so that there is nothing to rebuild it from',
  play: (stage, random) => play(stage, random, damage),
};

export const lostRegistry: Row = {
  id: 'F24',
  title: 'a dispatcher’s registry deleted while it is down; then it is the only one',
  promise: 'the replica is rebuilt from the bus and nobody is missed',
  runs: { full: 20, short: 1, seconds: 2.5 },
  seenToFail: 'both buses killed, so that there is nothing to rebuild it from',
  play: (stage, random) =>
    play(stage, random, (file) => {
      rmSync(file, { force: true });
    }),
};

async function play(
  stage: Stage,
  random: Random,
  harm: (file: string, random: Random) => void,
): Promise<Played> {
  const system = await stage.system('standard');
  const victim = random.pick(['a', 'b'] as const);
  const other = victim === 'a' ? 'b' : 'a';
  try {
    await system.kill(`dispatcher-${victim}`);
    for (const file of FILES) {
      const path = system.dataFile(`dispatcher-${victim}`, file);
      if (existsSync(path)) harm(path, random);
    }
    const startMs = Date.now();
    if (stage.sabotage) {
      await system.kill('nats-a', 'nats-b');
      system.launch(`dispatcher-${victim}`);
    } else await system.start(`dispatcher-${victim}`);
    const readyMs = Date.now() - startMs;
    await system.kill(`dispatcher-${other}`);
    const alert = await raise(system, { first: random.pick(['a', 'b'] as const) });
    return await judge(
      system,
      [alert],
      { figures: { 'ms to ready again': readyMs } },
      stage.sabotage ? 8_000 : undefined,
    );
  } finally {
    await restore(system);
    await stage.healthy();
  }
}

async function restore(system: FaultSystem): Promise<void> {
  await system.start('nats-a', 'nats-b');
  await system.start('dispatcher-a', 'dispatcher-b');
}

/** One of the ways in which files go bad. */
function damage(path: string, random: Random): void {
  const { size } = statSync(path);
  const how = random.pick(['flip', 'cut', 'overwrite'] as const);
  const file = openSync(path, 'r+');
  try {
    if (how === 'cut') {
      closeSync(openSync(path, size > PAGE ? 'r+' : 'w'));
      writeSync(file, Buffer.alloc(Math.min(size, 100), 0xff), 0, Math.min(size, 100), 0);
    } else if (how === 'overwrite') {
      for (let at = 0; at < size; at += 8 * PAGE)
        writeSync(file, Buffer.alloc(PAGE, 0x5a), 0, Math.min(PAGE, size - at), at);
    } else
      for (let flips = 0; flips < 200 && size > 0; flips++) {
        const at = random.between(0, size - 1);
        const byte = Buffer.alloc(1);
        readSync(file, byte, 0, 1, at);
        writeSync(file, Buffer.from([(byte[0] ?? 0) ^ (1 << random.between(0, 7))]), 0, 1, at);
      }
  } finally {
    closeSync(file);
  }
}
