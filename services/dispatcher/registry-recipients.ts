import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { countRecipients } from './count-recipients.ts';
import {
  type AudiencePart,
  isActivePlace,
  isInReach,
  isWide,
  type Position,
  placeOf,
  placeRange,
  type RecipientFilter,
  recipientQuery,
} from './recipient-query.ts';
import type { RegistryFile } from './registry-file.ts';
import { idHash } from './row-checksum.ts';
import { codesIn, decodeRecipient, deviceIdOf, isProbeText, type Recipient } from './row-format.ts';

/** A canary never reaches more devices than this, whatever it names. */
const MAX_PROBES = 50;

interface Found {
  readonly recipient: Recipient;
  readonly position: Position;
}

/** See Registry.page. */
export function pageOfRecipients(
  file: RegistryFile,
  filter: RecipientFilter,
  at: AudiencePart & { limit: number },
): Recipient[] {
  const { from, to } = placeRange(at);
  const after = at.after === '' ? { place: from, h: -1, n: -1 } : behind(at);
  const found =
    filter.kind === 'probes'
      ? probes(file, filter.deviceIds, at).filter(({ position }) => isAfter(position, after))
      : inReach(file, filter.reach, { after, to, limit: at.limit });
  const recipients: Recipient[] = [];
  let last: Position | undefined;
  for (const { recipient, position } of found) {
    if (recipients.length >= at.limit && !isSameHash(position, last)) break;
    recipients.push(recipient);
    last = position;
  }
  return recipients;
}

/**
 * Where to go on: behind a device and whoever shares its hash. A page never ends between those: their order among
 * themselves is that of their rows, which is another one in a file that took this one's place.
 */
function behind({ after, transport }: AudiencePart): Position {
  return { place: placeOf(after, transport), h: idHash(after), n: Number.MAX_SAFE_INTEGER };
}

/** Who is reached by a public alert, in order, read `limit` (and one) at a time. */
function* inReach(
  file: RegistryFile,
  reach: Parameters<typeof isWide>[0],
  part: { after: Position; to: number; limit: number },
): Generator<Found> {
  let { after } = part;
  const isWholeWalk = isWide(reach);
  // One more than the page: it says whether the last hash of the page is another's too.
  const limit = part.limit + 1;
  for (;;) {
    const { sql, values } = recipientQuery(reach, { after, to: part.to, limit });
    const rows = file.reading(() => file.statements.filter(sql).all(...values)) ?? [];
    for (const raw of rows) {
      const position = { place: Number(raw[0]), h: Number(raw[1]), n: Number(raw[2]) };
      // Who holds several areas of the alert comes several times, one after the other.
      if (!isAfter(position, after)) continue;
      after = position;
      const row = file.checked(raw, 3);
      if (row && (row.h !== position.h || row.place !== position.place))
        file.noteDamage('an index leads to another row');
      else if (row && (!isWholeWalk || isInReach(codesIn(row.record), reach)))
        yield { recipient: decodeRecipient(row.record, row.n), position };
    }
    if (rows.length < limit) return;
  }
}

/** The named devices that are probes and belong to a part of the audience, in its order. */
function probes(
  file: RegistryFile,
  deviceIds: readonly string[],
  part: Omit<AudiencePart, 'after'>,
): Found[] {
  const { from, to } = placeRange(part);
  const found = [...new Set(deviceIds.slice(0, MAX_PROBES))].flatMap((deviceId) => {
    const place = placeOf(deviceId, part.transport);
    if (place < from || place >= to) return [];
    const h = idHash(deviceId);
    return file.underHash(deviceId, h).flatMap((raw) => {
      const row = file.checked(raw);
      if (row?.place !== place || deviceIdOf(row.record) !== deviceId) return [];
      if (!isProbeText(row.record)) return [];
      const recipient = decodeRecipient(row.record, row.n);
      return [{ recipient, position: { place, h, n: row.n } }];
    });
  });
  return found.sort((a, b) => (isAfter(a.position, b.position) ? 1 : -1));
}

/** See Registry.count. */
export function countOfRecipients(
  file: RegistryFile,
  filter: RecipientFilter,
  transport: TransportKind,
  includeProbes: boolean,
): number {
  if (filter.kind === 'probes')
    return probes(file, filter.deviceIds, { transport, shard: 0, shards: 1 }).length;
  const counted = file.reading(() =>
    countRecipients(filter.reach, transport, includeProbes, file.statements),
  );
  return counted ?? 0;
}

/** See Registry.recipient. */
export function recipientOf(
  file: RegistryFile,
  deviceId: string,
): Recipient | 'damaged' | undefined {
  let isDamaged = file.isDamaged;
  for (const raw of file.underHash(deviceId, idHash(deviceId))) {
    const row = file.checked(raw);
    if (!row) isDamaged = true;
    else if (deviceIdOf(row.record) === deviceId)
      return isActivePlace(row.place) ? decodeRecipient(row.record, row.n) : undefined;
  }
  return isDamaged ? 'damaged' : undefined;
}

function isAfter(a: Position, b: Position): boolean {
  if (a.place !== b.place) return a.place > b.place;
  return a.h !== b.h ? a.h > b.h : a.n > b.n;
}

function isSameHash(a: Position, b: Position | undefined): boolean {
  return a.place === b?.place && a.h === b.h;
}
