import { DEPARTMENTS, reachOf } from '../../shared/alert/area.ts';
import { TRANSPORTS } from '../../shared/envelope/envelope.ts';
import type { CopyCheck } from '../../shared/subscription/copy-check.ts';
import { RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { PLACES } from './recipient-query.ts';
import { Registry } from './registry.ts';
import { DamagedReplicaError, isCorruption } from './replica-file.ts';
import { verifyReplica } from './verify-replica.ts';

const SAMPLED_PLACES = 10;
const SAMPLE_PAGE = 100;

/**
 * Restores a copy on the side: it is looked at as a peer's copy is before it serves (structure, every row's checksum, both
 * indexes), then opened as a registry that alerts are sent by, counted by department, and sampled. Reads the whole file.
 * Throws what SQLite says when the file cannot be read at all.
 */
export function checkCopy(path: string, random: () => number): CopyCheck {
  try {
    verifyReplica(path);
    const registry = new Registry(path, 'none');
    try {
      const sample = readSample(registry, random);
      if (registry.damaged) throw new DamagedReplicaError('the copy has damaged rows');
      return {
        v: 1,
        whole: true,
        devices: registry.size(),
        removed: registry.rows() - registry.size(),
        departments: countDepartments(registry),
        sample,
      };
    } finally {
      registry.close();
    }
  } catch (error) {
    if (!isCorruption(error)) throw error;
    return { v: 1, whole: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** As `GET /v1/audience` counts them. */
function countDepartments(registry: Registry): Record<string, Record<string, number>> {
  return Object.fromEntries(
    DEPARTMENTS.map((department) => {
      const filter = { kind: 'public' as const, reach: reachOf([department]) };
      const counts = TRANSPORTS.map((kind) => [kind, registry.count(filter, kind, false)] as const);
      return [department, Object.fromEntries(counts)];
    }),
  );
}

/** Records from some places of the file: each has to be one in every field, and its device has to be found by its id. */
function readSample(registry: Registry, random: () => number): number {
  const places = Array.from({ length: SAMPLED_PLACES }, () => Math.floor(random() * PLACES));
  const starts = ['', ...places.map((place) => `${place}:0`)];
  const records = starts.flatMap((after) => registry.goodRecords(after, SAMPLE_PAGE).records);
  for (const record of records) {
    const parsed = RegistryRecord.safeParse(record);
    const id = recordDeviceId(record);
    const found = registry.recipient(id);
    const isFound = record.state === 'removed' || (found !== undefined && found !== 'damaged');
    if (!parsed.success || !isFound)
      throw new DamagedReplicaError('a record of the copy is not what it should be');
  }
  return new Set(records.map(recordDeviceId)).size;
}
