import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { JudgedPath, RoundResult, Timetable } from '../judge.ts';
import { pathName } from '../paths.ts';
import {
  BUCKET_COUNT,
  BUCKET_MS,
  type Bucket,
  bucketStart,
  emptyBucket,
  type Segment,
  segmentsOf,
  withoutLost,
  withRound,
} from './buckets.ts';
import { countMinute, DAY_MS, DAYS_KEPT, type DeviceDay, dayOf } from './device-days.ts';
import { type HistoryFile, openHistoryFile } from './history-file.ts';

const LOOK_EVERY_MS = 5_000;

/** The last 24 hours of every path, by its name (`a:bus:b:fcm`). */
export type PathHistory = ReadonlyMap<string, readonly Segment[]>;

interface History {
  readonly record: (path: CanaryPath, result: RoundResult) => void;
  readonly paths: () => PathHistory;
  /** Up to 31 days, in no order. */
  readonly days: () => readonly DeviceDay[];
  readonly running: Promise<void>;
  readonly close: () => void;
}

interface HistoryOptions {
  readonly dataDir: string;
  readonly paths: readonly CanaryPath[];
  readonly timetable: Timetable;
}

interface HistoryDeps {
  readonly judged: () => readonly JudgedPath[];
  readonly wallNow: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Remembers how rounds ended: 24 hours of every path in pieces of five minutes, and a month of days. It is read from
 * memory, and written as things happen; a disk that takes nothing costs the history of the next life and nothing else.
 * It decides nothing: whether a path is proved is the judge's to say.
 */
export function startHistory(options: HistoryOptions, deps: HistoryDeps): History {
  const { wallNow, signal } = deps;
  const disk = openDisk(options.dataDir, deps.log);
  const memory = readMemory(options.paths, disk, wallNow());
  const { buckets } = memory;
  let { days } = memory;
  let forgotAtMs = Number.NEGATIVE_INFINITY;

  const put = (path: CanaryPath, bucket: Bucket) => {
    const name = pathName(path);
    buckets.get(name)?.set(bucket.startMs, bucket);
    disk.write((file) => file.putBucket(name, bucket));
  };
  const forgetOld = (nowMs: number) => {
    const fromMs = bucketStart(nowMs) - (BUCKET_COUNT - 1) * BUCKET_MS;
    const fromDay = dayOf(nowMs - DAYS_KEPT * DAY_MS);
    for (const own of buckets.values())
      for (const startMs of own.keys()) if (startMs < fromMs) own.delete(startMs);
    days = days.filter(({ day }) => day >= fromDay);
    disk.write((file) => file.forget(fromMs, fromDay));
  };
  const look = () => {
    const nowMs = wallNow();
    const counted = countMinute(days, deps.judged(), nowMs);
    days = [...days.filter((day) => !counted.some((each) => isSameDay(each, day))), ...counted];
    for (const day of counted) disk.write((file) => file.putDay(day));
    if (Math.abs(nowMs - forgotAtMs) < BUCKET_MS) return;
    forgotAtMs = nowMs;
    forgetOld(nowMs);
  };
  const run = async () => {
    do look();
    while (await sleep(LOOK_EVERY_MS, signal));
  };
  return {
    record: (path, result) => {
      const own = buckets.get(pathName(path));
      if (!own) return;
      const nowMs = wallNow();
      const startMs = bucketStart(nowMs);
      put(path, withRound(own.get(startMs) ?? emptyBucket(startMs), result));
      if (result.kind !== 'late') return;
      const givenUpMs = nowMs - (result.latencyMs - options.timetable.limitMs);
      const before = own.get(bucketStart(givenUpMs));
      if (before) put(path, withoutLost(before));
    },
    paths: () =>
      new Map(
        [...buckets].map(([name, own]) => [name, segmentsOf(own, wallNow(), options.timetable)]),
      ),
    days: () => days,
    running: run(),
    close: disk.close,
  };
}

function isSameDay(a: DeviceDay, b: DeviceDay): boolean {
  return a.day === b.day && a.transport === b.transport;
}

function readMemory(paths: readonly CanaryPath[], disk: Disk, nowMs: number) {
  const buckets = new Map<string, Map<number, Bucket>>(
    paths.map((path) => [pathName(path), new Map()]),
  );
  // What was written by a clock that was ahead is not of the past.
  for (const { path, bucket } of disk.read((file) => file.buckets()) ?? [])
    if (bucket.startMs <= nowMs) buckets.get(path)?.set(bucket.startMs, bucket);
  const days = (disk.read((file) => file.days()) ?? []).filter(({ day }) => day <= dayOf(nowMs));
  return { buckets, days };
}

interface Disk {
  readonly read: <Result>(use: (file: HistoryFile) => Result) => Result | undefined;
  readonly write: (use: (file: HistoryFile) => void) => void;
  readonly close: () => void;
}

/** The file as long as there is one. The first failure in a row is logged, the others are as many as there are rounds. */
function openDisk(folder: string, log: Logger): Disk {
  let failing = false;
  const tried = <Result>(use: () => Result): Result | undefined => {
    try {
      const result = use();
      failing = false;
      return result;
    } catch (error) {
      if (!failing) log.error(errorFields(error), 'history is not on disk');
      failing = true;
      return undefined;
    }
  };
  let file = tried(() => openHistoryFile(folder));
  const withFile = <Result>(use: (opened: HistoryFile) => Result) => {
    const opened = file;
    return opened && tried(() => use(opened));
  };
  const close = () => {
    file?.close();
    // A round that ends while everything stops is written nowhere, and is no error.
    file = undefined;
  };
  return { read: withFile, write: withFile, close };
}
