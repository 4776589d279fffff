import { WIRE } from './protobuf-writer.ts';

/** Bytes that are no protocol buffer, or not the one that was expected. The text names no content. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** One message, read whole. A field that has another type on the wire than is asked for counts as absent, as unknown ones do. */
export interface ProtobufMessage {
  /** Last value of an integer, 0 to 2^64 − 1 as it stands on the wire. */
  readonly integer: (field: number) => bigint | undefined;
  /** The same where the value has to fit a number exactly; throws ProtobufError when it does not. */
  readonly number: (field: number) => number | undefined;
  readonly bytes: (field: number) => Buffer | undefined;
  /** Throws ProtobufError for what is no UTF-8. */
  readonly text: (field: number) => string | undefined;
  readonly texts: (field: number) => string[];
  readonly messages: (field: number) => ProtobufMessage[];
}

/** More fields than any message of these protocols has; a peer that sends more means harm. */
const MAX_FIELDS = 4_000;
const MAX_VARINT_BYTES = 10;
const MAX_FIELD_NUMBER = 0x1fff_ffffn;

type Value = bigint | Buffer;

/** Reads one message. Throws ProtobufError for whatever is cut off, too long or of a kind that is not in use any more. */
export function readProtobuf(bytes: Buffer): ProtobufMessage {
  const fields = readFields(bytes);
  const integer = (field: number) =>
    fields.get(field)?.findLast((value) => typeof value === 'bigint');
  const all = (field: number) =>
    (fields.get(field) ?? []).filter((value): value is Buffer => typeof value !== 'bigint');
  const texts = (field: number) => all(field).map(asText);
  return {
    integer,
    number: (field) => {
      const value = integer(field);
      if (value === undefined) return undefined;
      const signed = Number(BigInt.asIntN(64, value));
      if (!Number.isSafeInteger(signed)) throw new ProtobufError('a number is too large');
      return signed;
    },
    bytes: (field) => all(field).at(-1),
    text: (field) => texts(field).at(-1),
    texts,
    messages: (field) => all(field).map(readProtobuf),
  };
}

function readFields(bytes: Buffer): ReadonlyMap<number, readonly Value[]> {
  const fields = new Map<number, Value[]>();
  let at = 0;
  for (let count = 0; at < bytes.length; count++) {
    if (count === MAX_FIELDS) throw new ProtobufError('too many fields');
    const key = readVarint(bytes, at);
    const number = key.value >> 3n;
    if (number === 0n || number > MAX_FIELD_NUMBER) throw new ProtobufError('no such field number');
    const { value, next } = readValue(bytes, key.next, Number(key.value & 7n));
    at = next;
    const values = fields.get(Number(number));
    if (values) values.push(value);
    else fields.set(Number(number), [value]);
  }
  return fields;
}

function readValue(bytes: Buffer, at: number, wire: number): { value: Value; next: number } {
  switch (wire) {
    case WIRE.varint:
      return readVarint(bytes, at);
    case WIRE.fixed64:
      if (bytes.length - at < 8) throw new ProtobufError('cut off');
      return { value: bytes.readBigUInt64LE(at), next: at + 8 };
    case WIRE.fixed32:
      if (bytes.length - at < 4) throw new ProtobufError('cut off');
      return { value: BigInt(bytes.readUInt32LE(at)), next: at + 4 };
    case WIRE.bytes: {
      const length = readVarint(bytes, at);
      if (length.value > BigInt(bytes.length - length.next)) throw new ProtobufError('cut off');
      const next = length.next + Number(length.value);
      return { value: bytes.subarray(length.next, next), next };
    }
    default:
      throw new ProtobufError(`wire type ${wire} is not in use`);
  }
}

function readVarint(bytes: Buffer, from: number): { value: bigint; next: number } {
  let value = 0n;
  for (let i = 0; i < MAX_VARINT_BYTES; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) throw new ProtobufError('cut off');
    value |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) {
      if (value >= 1n << 64n) throw new ProtobufError('a number has more than 64 bits');
      return { value, next: from + i + 1 };
    }
  }
  throw new ProtobufError('a number has more than 64 bits');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function asText(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new ProtobufError('a text is not UTF-8');
  }
}
