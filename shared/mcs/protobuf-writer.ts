/** Protocol buffers' wire types that we write and read (protobuf.dev, "Encoding"). */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Seven bits a byte, lowest first. Negative numbers are written as 64-bit two's complement, as protobuf's int64 is. */
export function encodeVarint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    bytes.push(left === 0n ? low : low | 0x80);
  } while (left !== 0n);
  return Buffer.from(bytes);
}

function key(field: number, wire: number): Buffer {
  return encodeVarint(field * 8 + wire);
}

/** int32, int64, bool and enum. */
export function varintField(field: number, value: number | bigint | boolean): Buffer {
  return Buffer.concat([key(field, WIRE.varint), encodeVarint(BigInt(value))]);
}

export function fixed64Field(field: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return Buffer.concat([key(field, WIRE.fixed64), bytes]);
}

/** string, bytes and messages in messages. */
export function bytesField(field: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([key(field, WIRE.bytes), encodeVarint(bytes.length), bytes]);
}

/** A message of those parts that are there. */
export function message(...parts: readonly (Buffer | undefined)[]): Buffer {
  return Buffer.concat(parts.filter((part) => part !== undefined));
}

/** The field, when there is a value for it. */
export function optional<Value>(
  write: (field: number, value: Value) => Buffer,
  field: number,
  value: Value | undefined,
): Buffer | undefined {
  return value === undefined ? undefined : write(field, value);
}
