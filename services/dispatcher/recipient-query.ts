import type { SQLInputValue } from 'node:sqlite';
import type { Reach } from '../../shared/alert/area.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { finestRange, finestShard } from '../../shared/subscription/shard.ts';

/** Which devices an alert is for: everybody in reach and every probe, or (a canary) just these probes. */
export type RecipientFilter =
  | { readonly kind: 'public'; readonly reach: Reach }
  | { readonly kind: 'probes'; readonly deviceIds: readonly string[] };

/** A part of an alert's audience: one transport, one shard of `shards`, after a device. */
export interface AudiencePart {
  readonly transport: TransportKind;
  readonly shard: number;
  readonly shards: number;
  readonly after: string;
}

interface Query {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** A canary never reaches more devices than this, whatever it names. */
const MAX_PROBES = 50;
/** Up to so many areas are walked side by side, in order; more are looked up together and sorted. */
const MAX_WALKS = 12;

/**
 * Whom an alert is for, in one part of its audience, as (shard, device_id, n) in the order of finest shard and id. That
 * order depends on the ids alone, so a walk that began on one file goes on in the one that took its place.
 */
export function recipientQuery(
  filter: RecipientFilter,
  part: AudiencePart,
  includeProbes: boolean,
): Query {
  const { from, to } = finestRange(part.shard, part.shards);
  const start = part.after === '' ? from : finestShard(part.after);
  const bounds = [part.transport, start, part.after, to];
  const where = 'transport = ? AND (shard, device_id) > (?, ?) AND shard < ?';
  const probes = {
    sql: `SELECT shard, device_id, n FROM devices WHERE probe = 1 AND ${where}`,
    values: bounds,
  };
  if (filter.kind === 'probes') {
    const ids = filter.deviceIds.slice(0, MAX_PROBES);
    return {
      sql: `${probes.sql} AND device_id IN (${placeholders(ids.length)}) ORDER BY 1, 2`,
      values: [...bounds, ...ids],
    };
  }
  const branches = [
    ...inAreas('code', filter.reach.codes, where, bounds),
    ...inAreas('department', filter.reach.departments, where, bounds),
    ...(includeProbes ? [probes] : []),
  ];
  return {
    sql: `${branches.map(({ sql }) => sql).join(' UNION ')} ORDER BY 1, 2`,
    values: branches.flatMap(({ values }) => values),
  };
}

function inAreas(
  column: 'code' | 'department',
  areas: readonly string[],
  where: string,
  bounds: readonly SQLInputValue[],
): Query[] {
  const select = `SELECT DISTINCT shard, device_id, n FROM device_areas WHERE ${where} AND ${column}`;
  if (areas.length <= MAX_WALKS)
    return areas.map((area) => ({ sql: `${select} = ?`, values: [...bounds, area] }));
  return [{ sql: `${select} IN (${placeholders(areas.length)})`, values: [...bounds, ...areas] }];
}

function placeholders(count: number): string {
  return Array.from({ length: count }, () => '?').join(',');
}
