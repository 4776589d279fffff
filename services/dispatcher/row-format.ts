import { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import type { PushAddress } from '../../shared/subscription/subscription.ts';

/**
 * A registry record as the replica keeps it: its fields in a fixed order, one line each, about half as long as its JSON
 * and cut apart in a tenth of the time. What an alert needs comes first:
 *
 *     deviceId, kind (f: FCM, w: Web Push, F and W: probes), language, address (a token; or endpoint, p256dh, auth),
 *     areas, last heard, hash of the secret (may be empty), app version
 *     deviceId, '-', reason (a tombstone)
 *
 * A record with a line break in one of its fields is kept as its JSON, which begins with a brace.
 */
const BREAK = '\n';
const FCM_FIELDS = 8;
const WEB_PUSH_FIELDS = 10;
const TOMBSTONE_FIELDS = 3;

/** Every probe stands under this code too: all public alerts go to it. */
export const PROBE_CODE = '*';

/** One device to be sent to. */
export interface Recipient {
  readonly deviceId: string;
  readonly address: PushAddress;
  readonly language: string;
  /** One of the canaries' own: the only ones that a canary's alert may go to (P6). */
  readonly isProbe: boolean;
  /**
   * The device's row in this node's file: a small whole number that stays the same for as long as the device is known
   * there, and is given to nobody else meanwhile. Another file numbers anew: see {@link Registry.fileNumber}.
   */
  readonly row: number;
}

/** The text that a row keeps of a record. The version stands in a column of its own. */
export function encodeRecord(record: RegistryRecord): string {
  const fields = record.state === 'removed' ? tombstoneFields(record) : activeFields(record);
  const isPlain = fields.every((field) => !field.includes(BREAK));
  return isPlain && !fields[0]?.startsWith('{') ? fields.join(BREAK) : JSON.stringify(record);
}

/** The record behind a text. Throws when it is none: a text that passed its checksum was made by {@link encodeRecord}. */
export function decodeRecord(text: string, version: number): RegistryRecord {
  if (text.startsWith('{')) return RegistryRecord.parse(JSON.parse(text));
  const fields = text.split(BREAK);
  const [deviceId = '', kind = '', third = ''] = fields;
  if (kind === '-' && fields.length === TOMBSTONE_FIELDS)
    return { v: 1, state: 'removed', version, deviceId, reason: reasonOf(third) };
  const address = addressOf(kind, fields);
  const [areas = '', lastHeard = '', secretHash = '', appVersion = ''] = fields.slice(-4);
  return {
    v: 1,
    state: 'active',
    version,
    probe: isProbeKind(kind),
    lastHeardAt: lastHeard.includes('T')
      ? lastHeard
      : new Date(Number.parseInt(lastHeard, 36)).toISOString(),
    subscription: { deviceId, address, areaCodes: areas.split(','), language: third, appVersion },
    ...(secretHash === '' ? {} : { secretHash }),
  };
}

/** The recipient behind the text of an active row, and nothing else of it. */
export function decodeRecipient(text: string, row: number): Recipient {
  if (text.startsWith('{')) {
    const record = decodeRecord(text, 1);
    if (record.state === 'removed') throw new Error('a tombstone is no recipient');
    const { deviceId, address, language } = record.subscription;
    return { deviceId, address, language, isProbe: record.probe, row };
  }
  const fields = text.split(BREAK);
  const [deviceId = '', kind = '', language = ''] = fields;
  return { deviceId, address: addressOf(kind, fields), language, isProbe: isProbeKind(kind), row };
}

/**
 * The codes under which a record's device is found: its areas, and for a probe the one of all probes. None for a
 * tombstone.
 */
export function codesOf(record: RegistryRecord): readonly string[] {
  if (record.state === 'removed') return [];
  const codes = new Set(record.subscription.areaCodes);
  return record.probe ? [...codes, PROBE_CODE] : [...codes];
}

/** The same from a row's text, for a look at many rows: nothing else of the record is made. */
export function codesIn(text: string): readonly string[] {
  if (text.startsWith('{')) return codesOf(decodeRecord(text, 1));
  const fields = text.split(BREAK);
  const kind = fields[1] ?? '';
  if (kind === '-') return [];
  const codes = fields.at(-4)?.split(',') ?? [];
  const different = codes.length === 1 ? codes : [...new Set(codes)];
  return isProbeKind(kind) ? [...different, PROBE_CODE] : different;
}

/** Whether a text is that of an active probe. */
export function isProbeText(text: string): boolean {
  if (text.startsWith('{')) return codesIn(text).includes(PROBE_CODE);
  const at = text.indexOf(BREAK) + 1;
  return isProbeKind(text.slice(at, text.indexOf(BREAK, at)));
}

/** Whether a row's text, which may be damaged, is that of a device. */
export function isRecordOf(text: string, deviceId: string): boolean {
  return text.startsWith('{') ? deviceIdOf(text) === deviceId : text.startsWith(deviceId);
}

export function deviceIdOf(text: string): string {
  if (!text.startsWith('{')) return text.slice(0, text.indexOf(BREAK));
  const record = decodeRecord(text, 1);
  return record.state === 'active' ? record.subscription.deviceId : record.deviceId;
}

function activeFields(record: RegistryRecord & { state: 'active' }): string[] {
  const { deviceId, address, areaCodes, language, appVersion } = record.subscription;
  const letter = address.transport === 'fcm' ? 'f' : 'w';
  return [
    deviceId,
    record.probe ? letter.toUpperCase() : letter,
    language,
    ...(address.transport === 'fcm'
      ? [address.token]
      : [address.endpoint, address.keys.p256dh, address.keys.auth]),
    areaCodes.join(','),
    shortTime(record.lastHeardAt),
    record.secretHash ?? '',
    appVersion,
  ];
}

function tombstoneFields(record: RegistryRecord & { state: 'removed' }): string[] {
  return [record.deviceId, '-', record.reason];
}

function addressOf(kind: string, fields: readonly string[]): PushAddress {
  const isFcm = kind === 'f' || kind === 'F';
  if (fields.length !== (isFcm ? FCM_FIELDS : WEB_PUSH_FIELDS))
    throw new Error('a row holds no record');
  if (isFcm) return { transport: 'fcm', token: fields[3] ?? '' };
  const [, , , endpoint = '', p256dh = '', auth = ''] = fields;
  return { transport: 'web-push', endpoint, keys: { p256dh, auth } };
}

function isProbeKind(kind: string): boolean {
  return kind === 'F' || kind === 'W';
}

function reasonOf(text: string): 'gone' | 'unsubscribed' {
  return text === 'gone' ? 'gone' : 'unsubscribed';
}

/** What `toISOString` writes since 1970: 24 characters, milliseconds, UTC. */
const USUAL_TIME = /^(?:19[7-9]|2)\d+-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d\.\d{3}Z$/;

/**
 * A time in its usual spelling is kept as milliseconds in base 36, another one as it is: both come back as they were. No
 * day that there is not in its month comes here: the record was parsed.
 */
function shortTime(iso: string): string {
  const ms = iso.length === 24 && USUAL_TIME.test(iso) ? Date.parse(iso) : Number.NaN;
  return ms >= 0 ? ms.toString(36) : iso;
}
