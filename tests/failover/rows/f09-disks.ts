import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { type Acknowledged, draftAlert, post, prefectureKey, raise } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import { diskFor, type LoopDisk } from '../harness/loop-disk.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const PARTS = ['ingest-a', 'dispatcher-a', 'nats-a'] as const;
type Part = (typeof PARTS)[number];
/** I3: never a false 202; when it cannot be kept, a refusal within two seconds (and the way there and back). */
const ANSWER_MS = 2_300;
const RECOVERY_MS = 20_000;
const ALERTS = 6;

let disks: ReadonlyMap<Part, LoopDisk> = new Map();

function system(stage: Stage): Promise<FaultSystem> {
  return stage.system('small disks', () => ({
    prepare: (layout) => {
      disks = new Map(PARTS.map((part) => [part, diskFor(layout, part, [part], 24)]));
    },
    cleanUp: () => {
      for (const disk of disks.values()) disk.discard();
    },
  }));
}

export const diskFull: Row = {
  id: 'F9',
  title: 'the disk of one ingest, one dispatcher or one bus is full; room again later',
  promise:
    'never a false 202: what is acknowledged reaches everybody, the rest is refused within 2 s; work goes on by itself once there is room (a bus has to be started again)',
  needs: ['root'],
  runs: { full: 9, short: 0, seconds: 8 },
  seenToFail:
    'the other site’s ingest killed too, so that nobody can take what the full one refuses',
  play: (stage, random) => play(stage, random, 'full'),
};

export const diskReadOnly: Row = {
  id: 'F10',
  title:
    'the disk of one ingest, one dispatcher or one bus turns read-only (as the kernel does on an error); repaired, process started again',
  promise:
    'never a false 202: what is acknowledged reaches everybody, the rest is refused within 2 s',
  needs: ['root'],
  runs: { full: 9, short: 0, seconds: 5 },
  seenToFail:
    'the other site’s ingest killed too, so that nobody can take what the failing one refuses',
  play: (stage, random) => play(stage, random, 'read-only'),
};

async function play(stage: Stage, random: Random, fault: 'full' | 'read-only'): Promise<Played> {
  const running = await system(stage);
  const part = stage.sabotage ? 'ingest-a' : random.pick(PARTS);
  const disk = disks.get(part);
  if (disk === undefined) throw new Error(`${part} has no disk of its own`);
  if (stage.sabotage) await running.kill('ingest-b');
  try {
    if (fault === 'full') disk.fill();
    else disk.failReadOnly();
    const during = await sendDuring(running, stage.sabotage);
    if (fault === 'full') disk.free();
    const recoveredMs = await recover(running, part, disk, fault);
    const restarts = part === 'nats-a' ? await restartIfSick(running, part) : 0;
    const after = await raise(running, { first: 'a', withinMs: RECOVERY_MS });
    const played = await judge(running, [...during.acknowledged, after]);
    return {
      ...played,
      broken: [...played.broken, ...during.broken].map((each) => `${part} ${fault}: ${each}`),
      figures: {
        refused: during.refused,
        'ms until it worked again': recoveredMs,
        'starts of a bus that stayed sick': restarts,
      },
    };
  } finally {
    if (fault === 'full') disk.free();
    await running.start(...PARTS, 'ingest-b');
    await stage.healthy();
  }
}

/** Several alerts, each first to the ingest of the site with the fault, then, when refused, to the other. */
async function sendDuring(running: FaultSystem, isHopeless: boolean) {
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
      const withinMs = isHopeless ? 1_000 : 10_000;
      acknowledged.push({ ...(await raise(running, { draft, first: 'b', withinMs })), sinceMs });
    }
  }
  return { acknowledged, broken, refused };
}

/**
 * nats-server closes a stream whose write has failed and does not open it again when there is room: it has to be started
 * again. Its health check says so.
 */
async function restartIfSick(running: FaultSystem, bus: string): Promise<number> {
  await delay(1_000);
  const { ok } = await fetch(running.process(bus).spec.readyUrl);
  if (ok) return 0;
  await running.kill(bus);
  await running.start(bus);
  return 1;
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
