import { setTimeout as delay } from 'node:timers/promises';
import type { ProxyFaults } from '../../support/tcp-fault-proxy.ts';
import { percentHaveIt, raise, untilDevices } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import { type LinkFilter, type Links, startLinks } from '../harness/links.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PACE = 20;
const HEALED_MS = 4_000;
let links: Links | undefined;

/** The two sites with a proxy on every link between services and buses. */
export async function linked(stage: Stage): Promise<{ system: FaultSystem; links: Links }> {
  const system = await stage.system('linked', async () => {
    const made = await startLinks();
    links = made;
    return { portBase: made.portBase, adjust: made.adjust, cleanUp: made.close };
  });
  if (!links) throw new Error('there are no links');
  return { system, links };
}

export const partition: Row = {
  id: 'F13',
  title:
    'the two sites cut off from each other (reset or silence), before or during an alert; healed',
  promise:
    'everybody gets it once, also after the sites have met again; a 202 that one site alone holds says so',
  runs: { full: 8, short: 0, seconds: 9 },
  seenToFail:
    'the dispatcher of the site that has the alert killed as well: the other one cannot know of it',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const { system, links } = await linked(stage);
  const site = random.pick(['a', 'b'] as const);
  const fault = random.pick<Partial<ProxyFaults>>([{ cut: true }, { halfOpen: true }]);
  const isBefore = stage.sabotage || random.next() < 0.5;
  const cutOff = () => {
    links.set({ from: 'a', to: 'b' }, fault);
    links.set({ from: 'b', to: 'a' }, fault);
  };
  await stage.pace(system, PACE);
  try {
    if (isBefore) {
      cutOff();
      await delay(random.between(0, 3_000));
    }
    if (stage.sabotage) await system.kill(`dispatcher-${site}`);
    const alert = await raise(system, { first: site });
    if (!isBefore) {
      await untilDevices(system, alert.id, percentHaveIt(random.between(0, 80)));
      cutOff();
    }
    const { durability } = alert.answer;
    const during = await judge(
      system,
      [alert],
      { broken: [isBefore && durability !== 'one-site' && `a 202 over a cut says ${durability}`] },
      stage.sabotage ? 8_000 : undefined,
    );
    links.set({}, {});
    await delay(HEALED_MS);
    const after = await judge(system, [alert]);
    return { ...after, broken: [...during.broken, ...after.broken] };
  } finally {
    links.set({}, {});
    await stage.pace(system, 0);
    await system.start(`dispatcher-${site}`);
    await stage.healthy();
  }
}

export const oneWay: Row = {
  id: 'F14',
  title:
    'one direction between the sites cut, or one kind of link alone (buses, dispatchers), before or during an alert; healed',
  promise: 'everybody gets it once, and the 202 names two sites',
  runs: { full: 10, short: 0, seconds: 6 },
  seenToFail: 'all links between the sites cut instead of some: the 202 says one-site',
  play: playOneWay,
};

async function playOneWay(stage: Stage, random: Random): Promise<Played> {
  const { system, links } = await linked(stage);
  const site = random.pick(['a', 'b'] as const);
  const other = site === 'a' ? 'b' : 'a';
  const partial = random.pick<readonly [LinkFilter, Partial<ProxyFaults>]>([
    [{ from: other, to: site }, { cut: true }],
    [{ from: other, to: site }, { halfOpen: true }],
    [{ from: site, to: other, kinds: ['nats'] }, { onlyTo: 'server' }],
    [{ from: site, to: other, kinds: ['nats', 'natsMonitor'] }, { halfOpen: true }],
    [{ from: site, to: other, kinds: ['dispatcher'] }, { onlyTo: 'client' }],
    [{ kinds: ['dispatcher'] }, { halfOpen: true }],
    [{ kinds: ['nats'] }, { cut: true }],
  ]);
  const isBefore = stage.sabotage || random.next() < 0.5;
  const cutOff = () => {
    links.set(...partial);
    if (stage.sabotage) links.set({ from: site, to: other }, { halfOpen: true });
  };
  await stage.pace(system, PACE);
  try {
    if (isBefore) cutOff();
    const alert = await raise(system, { first: site });
    if (!isBefore) {
      await untilDevices(system, alert.id, percentHaveIt(random.between(0, 80)));
      cutOff();
    }
    const { durability } = alert.answer;
    const how = JSON.stringify(partial);
    const during = await judge(system, [alert], {
      broken: [durability !== 'two-sites' && `${how}: the 202 says ${durability}`],
    });
    links.set({}, {});
    await delay(HEALED_MS);
    const after = await judge(system, [alert]);
    return { ...after, broken: [...during.broken, ...after.broken] };
  } finally {
    links.set({}, {});
    await stage.pace(system, 0);
    await stage.healthy();
  }
}
