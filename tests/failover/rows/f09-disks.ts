import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { watchBus } from '../../../deploy/local/bus-watch.ts';
import { filesOf, type Layout, layoutOf } from '../../../deploy/local/layout.ts';
import { findFreePortBase } from '../../../deploy/local/ports.ts';
import { type Acknowledged, draftAlert, post, prefectureKey, raise } from '../harness/alerts.ts';
import { BrokenPromiseError } from '../harness/broken-promise.ts';
import { type FaultSystem, withEnv } from '../harness/fault-system.ts';
import { startLiars } from '../harness/liars.ts';
import { diskFor, type LoopDisk } from '../harness/loop-disk.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PARTS = ['ingest-a', 'dispatcher-a', 'nats-a'] as const;
type Part = (typeof PARTS)[number];
/** I3: never a false 202; when it cannot be kept, a refusal within two seconds (and the way there and back). */
const ANSWER_MS = 2_300;
const RECOVERY_MS = 20_000;
/** The watch's patience, a start, and a margin. */
const BUS_RECOVERY_MS = 30_000;
const ALERTS = 6;
const MEGABYTES = 32;

let disks: ReadonlyMap<string, LoopDisk> = new Map();

function onSmallDisks(parts: readonly string[]) {
  return {
    prepare: (layout: Layout) => {
      disks = new Map(parts.map((part) => [part, diskFor(layout, part, [part], MEGABYTES)]));
    },
    discard: () => {
      for (const disk of disks.values()) disk.discard();
    },
  };
}

function system(stage: Stage): Promise<FaultSystem> {
  return stage.system('small disks', () => {
    const { prepare, discard } = onSmallDisks(PARTS);
    return { prepare, cleanUp: discard };
  });
}

export const diskFull: Row = {
  id: 'F9',
  title: 'the disk of one ingest, one dispatcher or one bus is full; room again later',
  promise:
    'never a false 202: what is acknowledged reaches everybody, the rest is refused within 2 s; work goes on by itself once there is room, a bus when its watch has started it again',
  needs: ['root'],
  // Each part three times.
  runs: { full: 9, short: 0, seconds: 11 },
  seenToFail:
    'dispatchers that acknowledge before they write, no bus, and the disks of both dispatchers full: what was answered 202 reaches nobody',
  play: (stage, _random, run) => play(stage, run, 'full'),
};

export const diskReadOnly: Row = {
  id: 'F10',
  title:
    'the disk of one ingest, one dispatcher or one bus turns read-only (as the kernel does on an error); repaired, process started again',
  promise:
    'never a false 202: what is acknowledged reaches everybody, the rest is refused within 2 s',
  needs: ['root'],
  // Each part three times.
  runs: { full: 9, short: 0, seconds: 6 },
  seenToFail:
    'dispatchers that acknowledge before they write, no bus, and the disks of both dispatchers read-only: what was answered 202 reaches nobody',
  play: (stage, _random, run) => play(stage, run, 'read-only'),
};

type Fault = 'full' | 'read-only';

async function play(stage: Stage, run: number, fault: Fault): Promise<Played> {
  if (stage.sabotage) return playWithLiars(stage, fault);
  const running = await system(stage);
  const part = PARTS[run % PARTS.length] ?? 'ingest-a';
  const disk = diskOf(part);
  const watch = watchBus(running.process('nats-a'), {
    storeDir: filesOf(running.stateDir).natsStore('a'),
    say: () => undefined,
  });
  try {
    strike(disk, fault);
    const during = await sendDuring(running);
    const pid = running.pid(part);
    if (fault === 'full') disk.free();
    const recoveredMs = await recover(running, part, disk, fault);
    const wellMs = part === 'nats-a' ? await untilWell(running, part) : 0;
    const isNew = fault === 'full' && running.pid(part) !== pid;
    const after = await raise(running, { first: 'a', withinMs: RECOVERY_MS });
    const played = await judge(running, [...during.acknowledged, after]);
    return {
      ...played,
      broken: [...played.broken, ...during.broken].map((each) => `${part} ${fault}: ${each}`),
      case: part,
      figures: {
        refused: during.refused,
        'ms until alerts were taken again': recoveredMs,
        ...(part === 'nats-a' ? { 'ms until the bus was well again': wellMs } : {}),
        ...(part === 'nats-a' && fault === 'full'
          ? { 'bus started again by its watch': isNew ? 1 : 0 }
          : {}),
      },
    };
  } finally {
    watch.close();
    if (fault === 'full') disk.free();
    await running.start(...PARTS, 'ingest-b');
    await stage.healthy();
  }
}

/** The same with the protection gone: what counts for the 202 is said before it is written. */
async function playWithLiars(stage: Stage, fault: Fault): Promise<Played> {
  const both = ['dispatcher-a', 'dispatcher-b'] as const;
  const running = await stage.system('small disks, lying', async () => {
    const portBase = await findFreePortBase(2);
    const { sites } = layoutOf({ sites: 2, portBase, stateDir: '/' });
    const [a = 0, b = 0] = sites.map(({ ports }) => ports.dispatcher);
    const liars = await startLiars({ a: `http://127.0.0.1:${a}`, b: `http://127.0.0.1:${b}` });
    const lies = { DISPATCHERS: JSON.stringify(liars.peers), NATS_SITES: '[]', EDGES: '[]' };
    const { prepare, discard } = onSmallDisks(both);
    return {
      portBase,
      prepare,
      adjust: withEnv(lies, ({ kind }) => kind === 'ingest'),
      services: ['dispatcher', 'ingest', 'edge'],
      cleanUp: () => {
        liars.close();
        discard();
      },
    };
  });
  // As long as the disks are well nobody sees a difference: otherwise this would fail for another reason.
  const before = await judge(running, [await raise(running)]);
  if (before.broken.length > 0) throw new Error(`it fails without the fault: ${before.broken}`);
  for (const part of both) strike(diskOf(part), fault);
  const { acknowledged } = await sendDuring(running);
  return judge(running, acknowledged, { case: 'lying dispatchers' }, 4_000);
}

function diskOf(part: string): LoopDisk {
  const disk = disks.get(part);
  if (disk === undefined) throw new Error(`${part} has no disk of its own`);
  return disk;
}

function strike(disk: LoopDisk, fault: Fault): void {
  if (fault === 'full') disk.fill();
  else disk.failReadOnly();
}

/** Several alerts, each first to the ingest of the site with the fault, then, when refused, to the other. */
async function sendDuring(running: FaultSystem) {
  const acknowledged: Acknowledged[] = [];
  const broken: string[] = [];
  let refused = 0;
  for (let number = 0; number < ALERTS; number++) {
    const draft = await draftAlert();
    const sinceMs = Date.now();
    const { accepted, status, tookMs } = await post(
      urlOf(running, 'ingest-a'),
      draft,
      prefectureKey(running),
    );
    if (tookMs > ANSWER_MS) broken.push(`an answer (${status}) took ${Math.round(tookMs)} ms`);
    if (accepted) acknowledged.push({ id: draft.id, sinceMs, answer: accepted });
    else {
      refused++;
      if (status !== undefined && status !== 503) broken.push(`it was refused with ${status}`);
      const raised = await raise(running, { draft, first: 'b', withinMs: 10_000 });
      acknowledged.push({ ...raised, sinceMs });
    }
  }
  return { acknowledged, broken, refused };
}

/** Until the bus says that it is well: after a full disk its watch has to start it again. */
async function untilWell(running: FaultSystem, bus: Part): Promise<number> {
  const sinceMs = Date.now();
  const { readyUrl } = running.process(bus).spec;
  for (;;) {
    const answer = await fetch(readyUrl).catch(() => undefined);
    if (answer?.ok) return Date.now() - sinceMs;
    if (Date.now() - sinceMs > BUS_RECOVERY_MS)
      throw new BrokenPromiseError(`${bus} stays unhealthy: ${await answer?.text()}`);
    await delay(200);
  }
}

/** Until the part works again: by itself where there is room again, after a repair and a start where the disk had failed. */
async function recover(
  running: FaultSystem,
  part: Part,
  disk: LoopDisk,
  fault: 'full' | 'read-only',
): Promise<number> {
  const sinceMs = Date.now();
  if (fault === 'read-only') {
    await running.kill(part);
    disk.repair();
    await running.start(part);
  }
  for (;;) {
    const draft = await draftAlert();
    const { accepted } = await post(urlOf(running, 'ingest-a'), draft, prefectureKey(running));
    if (accepted) return Date.now() - sinceMs;
    if (Date.now() - sinceMs > RECOVERY_MS) throw new Error(`${part} does not work again`);
    await delay(200);
  }
}
