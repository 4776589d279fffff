import { CANARY_AREA, DEPARTMENTS, type Reach } from '../../shared/alert/area.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { countQuery, isInReach, isWide, othersQuery, placeRange } from './recipient-query.ts';
import type { Statements } from './replica-statements.ts';
import { checkedRow } from './row-checksum.ts';
import { codesIn, PROBE_CODE } from './row-format.ts';

/** Up to so many devices outside a wide reach are looked at one by one: about 50 ms. */
const MAX_OTHERS = 20_000;

/**
 * How many devices a public alert is for on one transport. Who holds several areas has to be counted once, which takes
 * 0.4 µs for each entry; for an alert to most of the country all devices are counted, and who is outside is taken off.
 */
export function countRecipients(
  reach: Reach,
  transport: TransportKind,
  includeProbes: boolean,
  statements: Pick<Statements, 'filter' | 'byNumber' | 'countPlaces'>,
): number {
  const others = isWide(reach)
    ? countOthers(reach, transport, includeProbes, statements)
    : undefined;
  if (others !== undefined) {
    const { from, to } = placeRange({ transport, shard: 0, shards: 1 });
    return Number(statements.countPlaces.all(from, to)[0]?.[0] ?? 0) - others;
  }
  const { sql, values } = countQuery(reach, transport, includeProbes);
  return Number(statements.filter(sql).all(...values)[0]?.[0] ?? 0);
}

/** How many are not in reach; undefined when there may be too many to look at. */
function countOthers(
  reach: Reach,
  transport: TransportKind,
  includeProbes: boolean,
  { filter, byNumber }: Pick<Statements, 'filter' | 'byNumber'>,
): number | undefined {
  const outside: Reach = {
    codes: [CANARY_AREA],
    departments: DEPARTMENTS.filter((each) => !reach.departments.includes(each)),
  };
  const { sql, values } = othersQuery(outside, transport, MAX_OTHERS);
  const maybe = filter(sql).all(...values);
  if (maybe.length === MAX_OTHERS) return undefined;
  return maybe.filter(([n]) => {
    const row = checkedRow(byNumber.all(Number(n))[0] ?? []);
    // Whoever cannot be read is counted: more is the safe side.
    if (!row) return false;
    const codes = codesIn(row.record).filter((code) => includeProbes || code !== PROBE_CODE);
    return !isInReach(codes, reach);
  }).length;
}
