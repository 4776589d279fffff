import { percentHaveIt, raise, untilDevices } from '../harness/alerts.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';
import { narrow } from './f03-freeze-dispatcher.ts';

const PACE = 40;

export const stuck: Row = {
  id: 'F25',
  title:
    'a process that stands still for good (SIGSTOP: event loop blocked) or is killed for its memory (SIGKILL, no warning), in mid-fan-out',
  promise: 'the others deliver to everybody, once; when it moves again nobody is rung again',
  runs: { full: 6, short: 0, seconds: 10 },
  seenToFail: 'both dispatchers stand still',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await narrow(stage);
  const kind = random.pick(['dispatcher', 'ingest', 'edge'] as const);
  const site = random.pick(['a', 'b'] as const);
  const victims = stage.sabotage ? ['dispatcher-a', 'dispatcher-b'] : [`${kind}-${site}`];
  const isKilled = !stage.sabotage && random.next() < 0.4;
  const other = site === 'a' ? 'b' : 'a';
  await stage.pace(system, PACE);
  try {
    const first = await raise(system, { first: site });
    await untilDevices(system, first.id, percentHaveIt(random.between(5, 60)));
    if (isKilled) await system.kill(...victims);
    else system.signal('SIGSTOP', ...victims);
    // A client's own time-out takes it to the other ingest when this one stands still.
    const second = stage.sabotage
      ? []
      : [await raise(system, { first: random.pick([site, other]) })];
    const during = await judge(system, [first, ...second], {}, stage.sabotage ? 5_000 : 60_000);
    if (isKilled) await system.start(...victims);
    else system.signal('SIGCONT', ...victims);
    await system.ready(...victims);
    const after = await judge(system, [first, ...second]);
    return { ...after, broken: [...during.broken, ...after.broken] };
  } finally {
    if (!isKilled) system.signal('SIGCONT', ...victims);
    await stage.pace(system, 0);
    await system.start(...victims);
    await stage.healthy();
  }
}
