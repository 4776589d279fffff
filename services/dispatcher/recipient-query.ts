import type { SQLInputValue } from 'node:sqlite';
import { departmentOf, type Reach } from '../../shared/alert/area.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { FINEST_SHARDS, finestRange, finestShard } from '../../shared/subscription/shard.ts';
import { ROW_COLUMNS } from './row-checksum.ts';
import { PROBE_CODE } from './row-format.ts';

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

/** A position in the order of recipients: by place, then by {@link idHash}, then (ids that share it) by row. */
export interface Position {
  readonly place: number;
  readonly h: number;
  readonly n: number;
}

/** For so many departments or more everybody is walked through: most are in reach, and looking them up costs more. */
const WIDE_DEPARTMENTS = 30;
/** Up to so many areas are looked up one by one in each place; for more, the areas of all who live there are looked at. */
const MAX_LOOKED_UP = 400;
/** Greater than every digit and letter of a code. */
const AFTER_ALL_CODES = '~';
const TRANSPORT_NUMBERS: Record<TransportKind, number> = { fcm: 0, 'web-push': 1 };
/** There are places [0, PLACES): the finest shards of each transport. Tombstones have places of their own behind them. */
export const PLACES = FINEST_SHARDS * Object.keys(TRANSPORT_NUMBERS).length;

export function isActivePlace(place: number): boolean {
  return place < PLACES;
}

/** The place of a device that was removed. */
export function tombstonePlace(deviceId: string): number {
  return PLACES + finestShard(deviceId);
}

/** Every place in which a device can be: by either transport, or removed. */
export function placesOf(deviceId: string): [number, number, number] {
  const shard = finestShard(deviceId);
  return [shard, FINEST_SHARDS + shard, PLACES + shard];
}

/** Where a device stands in the order of recipients: its transport and its finest shard. */
export function placeOf(deviceId: string, transport: TransportKind): number {
  return TRANSPORT_NUMBERS[transport] * FINEST_SHARDS + finestShard(deviceId);
}

/** The places [from, to) of a part of an audience. */
export function placeRange({ transport, shard, shards }: Omit<AudiencePart, 'after'>) {
  const { from, to } = finestRange(shard, shards);
  const first = TRANSPORT_NUMBERS[transport] * FINEST_SHARDS;
  return { from: first + from, to: first + to };
}

/**
 * The next `limit` entries for a public alert, after a position and before a place, each with its device's row: place, h,
 * n and the columns of {@link ROW_COLUMNS}. Who holds several of the areas comes several times, one after the other. When
 * the reach {@link isWide} they are all devices there are: the caller looks at their areas ({@link isInReach}). The order
 * follows from the ids alone, so a walk that began on one file goes on in another.
 */
export function recipientQuery(
  reach: Reach,
  { after, to, limit }: { after: Position; to: number; limit: number },
): Query {
  const found = isWide(reach)
    ? { sql: 'SELECT place, h, n FROM devices a INDEXED BY by_place WHERE', values: [] }
    : entries('SELECT p.place, a.h, a.n', reach, true);
  const place = isWide(reach) ? 'a.place' : 'p.place';
  const columns = ROW_COLUMNS.map((column) => `d.${column}`).join(', ');
  return {
    sql: `SELECT q.place, q.h, q.n, ${columns} FROM (${found.sql}
        ${place} >= ? AND ${place} < ? AND (${place}, a.h, a.n) > (?, ?, ?)
        ORDER BY ${place}, a.h, a.n LIMIT ?) q LEFT JOIN devices d ON d.n = q.n`,
    values: [...found.values, after.place, to, after.place, after.h, after.n, limit],
  };
}

export function isWide({ departments }: Reach): boolean {
  return departments.length >= WIDE_DEPARTMENTS;
}

/** Whether a device with these codes is reached, as the queries find it. */
export function isInReach(codes: readonly string[], { codes: wanted, departments }: Reach) {
  return codes.some(
    (code) =>
      code === PROBE_CODE || wanted.includes(code) || departments.includes(departmentOf(code)),
  );
}

/** How many devices a public alert is for on one transport. */
export function countQuery(reach: Reach, transport: TransportKind, includeProbes: boolean): Query {
  const { from, to } = placeRange({ transport, shard: 0, shards: 1 });
  const found = entries('SELECT count(DISTINCT a.n) AS people', reach, includeProbes);
  return {
    sql: `SELECT sum(people) FROM (${found.sql}
        p.place >= ? AND p.place < ? GROUP BY p.place)`,
    values: [...found.values, from, to],
  };
}

/** The rows `n` of at most `limit` devices on one transport that hold one of the areas, and of probes. */
export function othersQuery(areas: Reach, transport: TransportKind, limit: number): Query {
  const { from, to } = placeRange({ transport, shard: 0, shards: 1 });
  const found = entries('SELECT DISTINCT a.n', areas, true);
  return {
    sql: `${found.sql} p.place >= ? AND p.place < ? LIMIT ?`,
    values: [...found.values, from, to, limit],
  };
}

/** A query on places `p` and areas `a`, and as much of its WHERE as is about the areas. */
function entries(select: string, reach: Reach, includeProbes: boolean): Query {
  const codes = includeProbes ? [...reach.codes, PROBE_CODE] : reach.codes;
  const { departments } = reach;
  if (codes.length + departments.length <= MAX_LOOKED_UP && codes.length + departments.length > 0) {
    const ranges = [
      ...codes.map((code) => [code, code]),
      ...departments.map((department) => [department, `${department}${AFTER_ALL_CODES}`]),
    ];
    return {
      sql: `${select} FROM places p CROSS JOIN (VALUES ${ranges.map(() => '(?, ?)').join(', ')}) w
        CROSS JOIN areas a ON a.place = p.place AND a.code BETWEEN w.column1 AND w.column2 WHERE`,
      values: ranges.flat(),
    };
  }
  const among = (values: readonly string[]) => `IN (${values.map(() => '?').join(', ')})`;
  const long = departments.filter((each) => each.length === 3);
  const short = departments.filter((each) => each.length !== 3);
  return {
    sql: `${select} FROM places p CROSS JOIN areas a ON a.place = p.place
      WHERE (substr(a.code, 1, 2) ${among(short)} OR substr(a.code, 1, 3) ${among(long)} OR a.code ${among(codes)}) AND`,
    values: [...short, ...long, ...codes],
  };
}
