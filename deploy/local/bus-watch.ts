import { statfs } from 'node:fs/promises';
import { sleep } from '../../shared/time/sleep.ts';
import type { ManagedProcess } from './managed-process.ts';

/**
 * nats-server closes a stream whose write has failed and does not open it again, also when its disk has room again: it
 * has to be started anew. Its health check says so; nobody but the one who started it can do something about it.
 */
export interface BusLook {
  /** `sick`: it answers, and says that something is wrong. `silent`: no answer; it is starting, or frozen, or gone. */
  readonly health: 'well' | 'sick' | 'silent';
  readonly hasRoom: boolean;
  readonly atMs: number;
}

/** What is remembered from look to look. */
export interface BusWatchState {
  /** It was well in this life: before, it may be reading a large store. */
  readonly wasWell: boolean;
  /** Since when it has been sick with room on its disk. */
  readonly sickSinceMs: number | undefined;
}

export const UNWATCHED: BusWatchState = { wasWell: false, sickSinceMs: undefined };

/** So long it may be sick before it is started again: what heals by itself has healed by then. */
export const PATIENCE_MS = 10_000;
/** One that has not been well since it was started is given this long. */
export const STARTING_PATIENCE_MS = 120_000;

/** Whether to start it again now. Pure. While the disk is full nothing is done: it would be sick again at once. */
export function judgeBus(
  { wasWell, sickSinceMs }: BusWatchState,
  { health, hasRoom, atMs }: BusLook,
): { restart: boolean; state: BusWatchState } {
  if (health === 'well')
    return { restart: false, state: { wasWell: true, sickSinceMs: undefined } };
  if (health === 'silent' || !hasRoom)
    return { restart: false, state: { wasWell, sickSinceMs: undefined } };
  const since = sickSinceMs ?? atMs;
  const restart = atMs - since >= (wasWell ? PATIENCE_MS : STARTING_PATIENCE_MS);
  return { restart, state: restart ? UNWATCHED : { wasWell, sickSinceMs: since } };
}

const LOOK_EVERY_MS = 1_000;
const ASK_MS = 2_000;
/** Less than this is a full disk: JetStream's files grow by blocks of some megabytes. */
const ROOM_BYTES = 8 * 1024 * 1024;
const STOP_MS = 3_000;

interface Deps {
  readonly storeDir: string;
  readonly say: (line: string) => void;
}

/** Looks at a nats-server that is up, each second, and starts it again when it stays sick although there is room. */
export function watchBus(process: ManagedProcess, { storeDir, say }: Deps): { close: () => void } {
  const stop = new AbortController();
  void (async () => {
    let state: BusWatchState = { wasWell: true, sickSinceMs: undefined };
    while (await sleep(LOOK_EVERY_MS, stop.signal)) {
      const look = { ...(await lookAt(process, storeDir)), atMs: Date.now() };
      const judged = judgeBus(state, look);
      state = judged.state;
      if (!judged.restart || process.state !== 'running' || stop.signal.aborted) continue;
      say(`${process.spec.name} has been unhealthy with room on its disk: starting it again`);
      await process.restart(STOP_MS);
    }
  })();
  return { close: () => stop.abort() };
}

async function lookAt(
  { spec }: ManagedProcess,
  storeDir: string,
): Promise<Pick<BusLook, 'health' | 'hasRoom'>> {
  const [health, hasRoom] = await Promise.all([healthOf(spec.readyUrl), hasRoomAt(storeDir)]);
  return { health, hasRoom };
}

async function healthOf(url: string): Promise<BusLook['health']> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ASK_MS), redirect: 'error' });
    await answer.body?.cancel();
    return answer.ok ? 'well' : 'sick';
  } catch {
    return 'silent';
  }
}

async function hasRoomAt(folder: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize >= ROOM_BYTES;
  } catch {
    return false;
  }
}
