import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ProtobufError, readProtobuf } from './protobuf-reader.ts';
import { bytesField, encodeVarint, fixed64Field, message, varintField } from './protobuf-writer.ts';

test.each([
  ['one byte', 1, '01'],
  ['the example of the encoding page', 150, '9601'],
  ['minus one is ten bytes', -1, 'ffffffffffffffffff01'],
  ['the largest', 2n ** 64n - 1n, 'ffffffffffffffffff01'],
])('numbers are written seven bits a byte: %s', (_name, value, hex) => {
  expect(encodeVarint(value).toString('hex')).toBe(hex);
});

test('what is written is read back: numbers, texts, messages in messages, repeated ones in order', () => {
  const fields = readProtobuf(
    message(
      varintField(1, 7),
      varintField(2, -5),
      fixed64Field(3, 2n ** 63n + 1n),
      bytesField(4, 'é'),
      bytesField(4, 'second'),
      bytesField(5, bytesField(1, 'inner')),
    ),
  );
  expect(fields.number(1)).toBe(7);
  expect(fields.number(2)).toBe(-5);
  expect(fields.integer(3)).toBe(2n ** 63n + 1n);
  expect(fields.texts(4)).toEqual(['é', 'second']);
  expect(fields.text(4)).toBe('second');
  expect(fields.messages(5)[0]?.text(1)).toBe('inner');
  expect(fields.number(9)).toBeUndefined();
});

test.each([
  ['a number without an end', '08ffffffffffffffffffff01', 'more than 64 bits'],
  ['a number of 65 bits', '08ffffffffffffffffff03', 'more than 64 bits'],
  ['a number cut off', '0880', 'cut off'],
  ['a text longer than what is there', '0a05ff', 'cut off'],
  ['a text longer than memory', '0affffffff0f', 'cut off'],
  ['four bytes of eight', '0900000000', 'cut off'],
  ['a group, which nobody writes any more', '0b', 'not in use'],
  ['field number 0', '0001', 'no such field number'],
])('%s is refused', (_name, hex, reason) => {
  expect(() => readProtobuf(Buffer.from(hex, 'hex'))).toThrow(reason);
});

test('a field of another type counts as absent, and a text that is no UTF-8 is refused when it is asked for', () => {
  const fields = readProtobuf(message(varintField(1, 7), bytesField(2, Buffer.from([0xff]))));
  expect(fields.text(1)).toBeUndefined();
  expect(fields.number(2)).toBeUndefined();
  expect(() => fields.text(2)).toThrow(ProtobufError);
});

test('more fields than any message has are refused', () => {
  const many = Buffer.concat(Array.from({ length: 4_001 }, () => varintField(1, 1)));
  expect(() => readProtobuf(many)).toThrow('too many fields');
});

test('fuzz: any bytes are a message or a ProtobufError, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      try {
        const fields = readProtobuf(Buffer.from(bytes));
        for (let field = 0; field < 32; field++) {
          fields.number(field);
          fields.texts(field);
          fields.messages(field);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ProtobufError);
      }
    }),
    { numRuns: 2_000 },
  );
});
