import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { filesOf } from '../../../deploy/local/layout.ts';
import { percentHaveIt, raise, untilDevices } from '../harness/alerts.ts';
import { withEnv } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PACE = 20;
const BUSES = ['nats-a', 'nats-b'] as const;

export const allBuses: Row = {
  id: 'F5',
  title: 'kill -9 of every bus before or during an alert; they come back',
  promise:
    'the alert is taken and reaches everybody by the direct lane; the back-fill rings nobody again',
  runs: { full: 15, short: 1, seconds: 6 },
  seenToFail: 'the direct lane taken away from ingest: nobody takes the alert',
  play: (stage, random) => play(stage, random, false),
};

export const busesWithoutData: Row = {
  id: 'F6',
  title: 'every bus killed and its data deleted, before or during an alert; they come back empty',
  promise: 'as F5; alerts after the return reach everybody too, though the streams were empty',
  runs: { full: 8, short: 0, seconds: 9 },
  seenToFail: 'the direct lane taken away from ingest: nobody takes the alert',
  play: (stage, random) => play(stage, random, true),
};

async function play(stage: Stage, random: Random, isDeleted: boolean): Promise<Played> {
  const system = stage.sabotage
    ? await stage.system('bus lane alone', () => ({
        adjust: withEnv({ DISPATCHERS: '[]', EDGES: '[]' }, ({ kind }) => kind === 'ingest'),
        services: ['dispatcher', 'ingest', 'edge'],
      }))
    : await stage.system(isDeleted ? 'buses to be emptied' : 'standard');
  const isBefore = stage.sabotage || random.next() < 0.5;
  const strike = async () => {
    await system.kill(...BUSES);
    const files = filesOf(system.stateDir);
    if (isDeleted)
      for (const site of system.sites)
        rmSync(files.natsStore(site), { recursive: true, force: true });
  };
  await stage.pace(system, PACE);
  try {
    const first = random.pick(['a', 'b'] as const);
    if (isBefore) {
      await strike();
      await delay(random.between(0, 500));
    }
    const alert = await raise(system, { first, withinMs: 15_000 });
    if (!isBefore) {
      await untilDevices(system, alert.id, percentHaveIt(random.between(0, 80)));
      await strike();
    }
    const without = await judge(system, [alert]);
    await system.start(...BUSES);
    // Past the back-fill: consumers are made anew within a second or two of the bus's return.
    await delay(3_000);
    const after = await raise(system, { first });
    const all = await judge(system, [alert, after]);
    return { alerts: all.alerts, broken: [...without.broken, ...all.broken] };
  } finally {
    await stage.pace(system, 0);
    await system.start(...BUSES);
    await stage.healthy();
  }
}
