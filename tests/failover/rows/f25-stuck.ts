import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { percentHaveIt, raise, untilDevices } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import { canLimitMemory, takeMemory } from '../harness/memory-limit.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';
import { narrow } from './f03-freeze-dispatcher.ts';

const PACE = 40;
const OOM_MS = 20_000;

export const stuck: Row = {
  id: 'F25',
  title:
    'a process that stands still for good (SIGSTOP: event loop blocked) or whose memory is gone (killed by the kernel’s out-of-memory killer where there are memory control groups, else by SIGKILL), in mid-fan-out',
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
    if (isKilled) for (const victim of victims) await runOutOfMemory(system, victim);
    else system.signal('SIGSTOP', ...victims);
    // A client's own time-out takes it to the other ingest when this one stands still.
    const second = stage.sabotage
      ? []
      : [await raise(system, { first: random.pick([site, other]) })];
    const during = await judge(system, [first, ...second], {}, stage.sabotage ? 5_000 : 60_000);
    if (isKilled) await system.start(...victims);
    else system.signal('SIGCONT', ...victims);
    await system.ready(...victims);
    const how = isKilled ? 'out of memory' : 'stands still';
    const after = await judge(system, [first, ...second], { case: `${kind} ${how}` });
    return { ...after, broken: [...during.broken, ...after.broken] };
  } finally {
    if (!isKilled) system.signal('SIGCONT', ...victims);
    await stage.pace(system, 0);
    await system.start(...victims);
    await stage.healthy();
  }
}

/** The kernel kills it when it next needs memory: an idle one is asked for its metrics until then. */
async function runOutOfMemory(system: FaultSystem, name: string): Promise<void> {
  if (!canLimitMemory()) return system.kill(name);
  const group = takeMemory(system.pid(name));
  try {
    for (const end = Date.now() + OOM_MS; system.isRunning(name); await delay(20)) {
      if (Date.now() > end) throw new Error(`${name} never ran out of memory`);
      await makeItWork(`${urlOf(system, name)}/metrics`);
    }
    await system.process(name).ended();
  } finally {
    await system.kill(name);
    group.close();
  }
}

/** It may die before it answers, which is what is wanted. */
async function makeItWork(url: string): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(500) }).catch(() => undefined);
  await answer?.text().catch(() => undefined);
}
