import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { Bucket } from './buckets.ts';
import type { DeviceDay } from './device-days.ts';

const BucketRow = z.object({
  path: z.string(),
  start_ms: z.number(),
  proved: z.number(),
  late: z.number(),
  lost: z.number(),
  worst_ms: z.number().nullable(),
});
const DayRow = z.object({
  day: z.string(),
  transport: TransportKind,
  proved: z.number(),
  unproved: z.number(),
  last_minute: z.number(),
});

/** The history on disk: written with each round, so that a killed canary has lost nothing that had ended. */
export interface HistoryFile {
  readonly buckets: () => { readonly path: string; readonly bucket: Bucket }[];
  readonly days: () => DeviceDay[];
  readonly putBucket: (path: string, bucket: Bucket) => void;
  readonly putDay: (day: DeviceDay) => void;
  /** Removes what is too old. */
  readonly forget: (bucketsBeforeMs: number, daysBefore: string) => void;
  readonly close: () => void;
}

const FILE_NAME = 'history.sqlite';

/** Opens the file in a folder. One that is damaged is put aside and a new one begun. Throws when the disk takes nothing. */
export function openHistoryFile(folder: string): HistoryFile {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE_NAME);
  try {
    return open(path);
  } catch (error) {
    if (!existsSync(path)) throw error;
    for (const end of ['', '-wal', '-shm'])
      if (existsSync(path + end)) renameSync(path + end, `${path}.damaged${end}`);
    return open(path);
  }
}

function open(path: string): HistoryFile {
  const db = new DatabaseSync(path);
  // A power cut may lose the last rounds, which then show as not measured; a killed process loses none.
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 1000');
  db.exec(`CREATE TABLE IF NOT EXISTS buckets (
    path TEXT NOT NULL, start_ms INTEGER NOT NULL, proved INTEGER NOT NULL, late INTEGER NOT NULL,
    lost INTEGER NOT NULL, worst_ms INTEGER, PRIMARY KEY (path, start_ms)) WITHOUT ROWID`);
  db.exec(`CREATE TABLE IF NOT EXISTS days (
    day TEXT NOT NULL, transport TEXT NOT NULL, proved INTEGER NOT NULL, unproved INTEGER NOT NULL,
    last_minute INTEGER NOT NULL, PRIMARY KEY (day, transport)) WITHOUT ROWID`);
  const selectBuckets = db.prepare('SELECT * FROM buckets');
  const selectDays = db.prepare('SELECT * FROM days');
  const putBucket = db.prepare('INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?, ?, ?)');
  const putDay = db.prepare('INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)');
  const forgetBuckets = db.prepare('DELETE FROM buckets WHERE start_ms < ?');
  const forgetDays = db.prepare('DELETE FROM days WHERE day < ?');
  return {
    buckets: () =>
      z
        .array(BucketRow)
        .parse(selectBuckets.all())
        .map(({ path: of, start_ms, proved, late, lost, worst_ms }) => ({
          path: of,
          bucket: { startMs: start_ms, proved, late, lost, worstMs: worst_ms },
        })),
    days: () =>
      z
        .array(DayRow)
        .parse(selectDays.all())
        .map(({ last_minute, ...day }) => ({ ...day, lastMinute: last_minute })),
    putBucket: (of, { startMs, proved, late, lost, worstMs }) => {
      putBucket.run(of, startMs, proved, late, lost, worstMs);
    },
    putDay: ({ day, transport, proved, unproved, lastMinute }) => {
      putDay.run(day, transport, proved, unproved, lastMinute);
    },
    forget: (bucketsBeforeMs, daysBefore) => {
      forgetBuckets.run(bucketsBeforeMs);
      forgetDays.run(daysBefore);
    },
    close: () => db.close(),
  };
}
