import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  DRILL_KINDS,
  type DrillRecord,
  DrillsAnswer,
  drillKey,
} from '../../../shared/receipt/drill.ts';

/** Years of weekly drills. */
const MAX_RECORDS = 300;
const FILE_NAME = 'drills.json';

/** The drills that this canary has heard of, on disk. */
export interface DrillStore {
  readonly newestFirst: () => readonly DrillRecord[];
  /** On disk when it returns. False when the drill was known before. Throws when it cannot be written. */
  readonly keep: (record: DrillRecord) => boolean;
  /** What was on disk and could not be read was moved aside, under this name. */
  readonly setAside: string | undefined;
}

/**
 * The newest `most` records, newest first, and the last success of each kind whatever came after it: the age of a success
 * is an alarm, and a hundred failures must not make it "never". Pure.
 */
export function boundedDrills(
  records: readonly DrillRecord[],
  most: number = MAX_RECORDS,
): DrillRecord[] {
  const sorted = [...records].sort((a, b) => Date.parse(b.endedAt) - Date.parse(a.endedAt));
  const kept = new Set(sorted.slice(0, most));
  for (const kind of DRILL_KINDS) {
    const success = sorted.find((each) => each.kind === kind && each.ok);
    if (success) kept.add(success);
  }
  return [...kept];
}

/** Opens the list in a folder. A file that is damaged is moved aside: drills that other canaries keep come back by the next one. */
export function openDrillStore(folder: string): DrillStore {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE_NAME);
  const { records: found, setAside } = readRecords(path);
  let records = boundedDrills(found);
  return {
    newestFirst: () => records,
    setAside,
    keep: (record) => {
      const key = drillKey(record);
      if (records.some((each) => drillKey(each) === key)) return false;
      const changed = boundedDrills([record, ...records]);
      writeRecords(folder, path, changed);
      records = changed;
      return true;
    },
  };
}

function readRecords(path: string): { records: DrillRecord[]; setAside: string | undefined } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT')
      return { records: [], setAside: undefined };
    throw error;
  }
  try {
    return { records: DrillsAnswer.parse(JSON.parse(text)).drills, setAside: undefined };
  } catch {
    const aside = `${path}.damaged`;
    renameSync(path, aside);
    return { records: [], setAside: aside };
  }
}

/** Written beside, synced and renamed: after kill -9 or a power cut there is the old list or the new one. */
function writeRecords(folder: string, path: string, drills: readonly DrillRecord[]): void {
  writeFileSync(`${path}.new`, JSON.stringify({ v: 1, drills }), { mode: 0o640, flush: true });
  renameSync(`${path}.new`, path);
  const directory = openSync(folder, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
