import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { filesOf, type Layout } from '../../../deploy/local/layout.ts';
import { ManagedProcess } from '../../../deploy/local/managed-process.ts';
import { StartError, waitFor } from '../../../deploy/local/wait-for.ts';
import { alertSubject } from '../../../shared/bus/subjects.ts';
import { type Acknowledged, draftAlert, post, prefectureKey } from '../harness/alerts.ts';
import { BrokenPromiseError } from '../harness/broken-promise.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import { diskFor, LoopDisk } from '../harness/loop-disk.ts';
import type { Random } from '../harness/random.ts';
import { type AlertFigures, judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const SITES = ['a', 'b'] as const;
type SiteName = (typeof SITES)[number];
const PARTS = ['nats', 'ingest', 'dispatcher', 'edge'] as const;
const POSTERS = 2;
/** Share of the cuts after which the whole system goes on with the copies and the devices are asked. */
const WHOLE_SHARE = 0.1;
const COPY_PORTS_FROM = 40;

let disks: ReadonlyMap<SiteName, LoopDisk> = new Map();

export const powerCut: Row = {
  id: 'F7',
  title:
    'power cut of everything: the disks of both sites copied under load, all of it started on the copies',
  promise:
    'every bus and journal that a 202 names holds the alert on the copy; at one cut in ten the whole system goes on with the copies and every device gets every acknowledged alert, none twice',
  needs: ['root'],
  runs: { full: 200, short: 3, seconds: 2.2 },
  seenToFail: 'nats-server without `sync_interval: always`',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('power', () => ({
    services: ['dispatcher', 'ingest', 'edge'],
    devices: 10,
    prepare: (layout) => prepareDisks(layout, stage.sabotage),
    cleanUp: () => {
      for (const disk of disks.values()) disk.discard();
    },
  }));
  const isWhole = !stage.sabotage && random.next() < WHOLE_SHARE;
  if (isWhole) await stage.pace(system, 2);
  const all = system.names('nats', 'ingest', 'dispatcher', 'edge');
  const load = startLoad(system);
  try {
    await delay(random.between(150, 900));
    system.signal('SIGSTOP', ...all);
    // What was answered before the cut is on its way to the author.
    await delay(30);
    const acknowledged = load.acknowledged();
    const images = copyDisks(system);
    if (!isWhole) {
      system.signal('SIGCONT', ...all);
      await load.stop();
      return await judgeCopies(system, images, acknowledged);
    }
    load.abandon();
    await system.kill(...all);
    await load.stop();
    takeCopies(images);
    await stage.pace(system, 0);
    await system.startAll(['nats', 'dispatcher', 'ingest', 'edge']);
    return await judge(system, acknowledged, { figures: { 'whole restarts': 1 } });
  } finally {
    await load.stop();
    system.signal('SIGCONT', ...all);
    await system.start(...all);
    await stage.pace(system, 0);
  }
}

function prepareDisks(layout: Layout, isUnsynced: boolean): void {
  disks = new Map(
    SITES.map((site) => {
      const names = PARTS.map((part) => `${part}-${site}`);
      return [site, diskFor(layout, `site-${site}`, names, 96)];
    }),
  );
  if (!isUnsynced) return;
  for (const site of SITES) {
    const file = filesOf(layout.stateDir).natsConfig(site);
    writeFileSync(file, readFileSync(file, 'utf8').replace('sync_interval: always', ''));
  }
}

/** Authors who send without a pause and note what was answered 202. */
function startLoad(system: FaultSystem) {
  const acknowledged: Acknowledged[] = [];
  let isOver = false;
  let isAbandoned = false;
  const posters = Array.from({ length: POSTERS }, async (_, poster) => {
    const url = urlOf(system, `ingest-${SITES[poster % 2]}`);
    while (!isOver) {
      const draft = await draftAlert();
      const sinceMs = Date.now();
      const { accepted } = await post(url, draft, prefectureKey(system));
      if (accepted && !isAbandoned) acknowledged.push({ id: draft.id, sinceMs, answer: accepted });
      if (!accepted) await delay(50);
    }
  });
  return {
    acknowledged: () => [...acknowledged],
    /** What is answered from now on does not count. */
    abandon: () => {
      isAbandoned = true;
    },
    stop: async () => {
      isOver = true;
      await Promise.all(posters);
    },
  };
}

function copyDisks(system: FaultSystem): ReadonlyMap<SiteName, string> {
  return new Map(
    [...disks].map(([site, disk]) => {
      const copy = join(system.stateDir, 'disks', `copy-${site}.img`);
      rmSync(copy, { force: true });
      disk.copyImage(copy);
      return [site, copy];
    }),
  );
}

/** The copies in the place of the disks. */
function takeCopies(images: ReadonlyMap<SiteName, string>): void {
  for (const [site, copy] of images) {
    const disk = disks.get(site);
    if (!disk) continue;
    disk.unmount();
    execFileSync('mv', [copy, disk.image]);
    disk.mount();
  }
}

/** Starts the buses on the copies and asks each place that a 202 names. */
async function judgeCopies(
  system: FaultSystem,
  images: ReadonlyMap<SiteName, string>,
  acknowledged: readonly Acknowledged[],
): Promise<Played> {
  const held = new Map<string, number>();
  const broken: string[] = [];
  for (const [site, image] of images) {
    const disk = LoopDisk.of(image, join(system.stateDir, 'disks', `copied-${site}`));
    try {
      const wanted = acknowledged.flatMap(({ id, answer }) =>
        answer.storedBy.filter((each) => each.site === site).map(({ lane }) => ({ id, lane })),
      );
      const onBus = wanted.filter(({ lane }) => lane === 'bus').map(({ id }) => id);
      const direct = wanted.filter(({ lane }) => lane === 'direct').map(({ id }) => id);
      const found = {
        bus: await onCopiedBus(system, site, disk, onBus),
        direct: inCopiedJournal(
          join(disk.mountPoint, `dispatcher-${site}`, 'journal.sqlite'),
          direct,
        ),
      };
      for (const { id, lane } of wanted) {
        if (found[lane].has(id)) held.set(id, (held.get(id) ?? 0) + 1);
        else broken.push(`site ${site}: the ${lane} lane had acknowledged ${id} and lost it`);
      }
    } finally {
      disk.discard();
    }
  }
  const alerts = acknowledged.map(({ id }): AlertFigures => {
    const delivered = (held.get(id) ?? 0) > 0 ? 1 : 0;
    const none = { p50Ms: undefined, p99Ms: undefined, maxMs: undefined };
    return {
      devices: 1,
      delivered,
      lost: 1 - delivered,
      shownTwice: 0,
      outside: 0,
      repeats: 0,
      ...none,
    };
  });
  const lost = alerts.reduce((sum, each) => sum + each.lost, 0);
  return {
    alerts,
    broken: [...(lost > 0 ? [`${lost} acknowledged alerts are nowhere`] : []), ...summary(broken)],
    figures: { 'acknowledged places lost': broken.length },
  };
}

function summary(broken: readonly string[]): string[] {
  const [first] = broken;
  return first === undefined ? [] : [`${broken.length} times, such as: ${first}`];
}

async function onCopiedBus(
  system: FaultSystem,
  site: SiteName,
  disk: LoopDisk,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const files = filesOf(system.stateDir);
  const place = system.layout.sites.find(({ name }) => name === site);
  if (!place) throw new Error(`there is no site ${site}`);
  const { nats, natsMonitor } = place.ports;
  const config = `${files.natsConfig(site)}.copy`;
  writeFileSync(
    config,
    readFileSync(files.natsConfig(site), 'utf8')
      .replace(`port: ${nats}`, `port: ${nats + COPY_PORTS_FROM}`)
      .replace(`:${natsMonitor}`, `:${natsMonitor + COPY_PORTS_FROM}`)
      .replace(
        JSON.stringify(files.natsStore(site)),
        JSON.stringify(join(disk.mountPoint, `nats-${site}`)),
      ),
  );
  const { spec } = system.process(`nats-${site}`);
  const health = `http://127.0.0.1:${natsMonitor + COPY_PORTS_FROM}/healthz`;
  const bus = new ManagedProcess(
    {
      ...spec,
      name: `copy of nats-${site}`,
      args: ['-c', config],
      logFile: `${spec.logFile}.copy`,
    },
    { say: () => undefined, onChange: () => undefined },
  );
  bus.start();
  try {
    // Started on what a power cut leaves, it has to come up: one that cannot read its own streams has lost them.
    await waitFor(bus, health, { timeoutMs: 20_000 }).catch((error: unknown) => {
      throw error instanceof StartError
        ? new BrokenPromiseError(error.message, { cause: error })
        : error;
    });
    const connection = await connect({
      servers: `127.0.0.1:${nats + COPY_PORTS_FROM}`,
      user: 'dispatcher',
      pass: readFileSync(files.natsPassword(site, 'dispatcher'), 'utf8').trim(),
    });
    try {
      const manager = await jetstreamManager(connection);
      const found = new Set<string>();
      for (const id of ids) {
        const last_by_subj = alertSubject({
          audience: 'public',
          sender: 'pref06@alerte.example',
          id,
        });
        const message = await manager.streams
          .getMessage('ALERTS', { last_by_subj })
          .catch(() => undefined);
        if (message) found.add(id);
      }
      return found;
    } finally {
      await connection.close();
    }
  } finally {
    bus.kill('SIGKILL', true);
    await bus.ended();
  }
}

function inCopiedJournal(path: string, ids: readonly string[]): ReadonlySet<string> {
  if (!existsSync(path)) return new Set();
  const journal = new DatabaseSync(path);
  try {
    const find = journal.prepare('SELECT 1 FROM alerts WHERE id = ?');
    return new Set(ids.filter((id) => find.get(id) !== undefined));
  } catch {
    return new Set();
  } finally {
    journal.close();
  }
}
