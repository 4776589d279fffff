import { expect, test } from '@jest/globals';
import { decodeHuffman } from './huffman.ts';

const decode = (hex: string) => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return decodeHuffman(bytes, 0, bytes.length);
};

test.each([
  // RFC 7541 appendix C.4 and C.6.
  ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
  ['a8eb 1064 9cbf', 'no-cache'],
  ['25a8 49e9 5ba9 7d7f', 'custom-key'],
  ['25a8 49e9 5bb8 e8b4 bf', 'custom-value'],
  ['6402', '302'],
  ['640e ff', '307'],
  ['aec3 771a 4b', 'private'],
  ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
  ['9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3', 'https://www.example.com'],
  ['9bd9 ab', 'gzip'],
  [
    '94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
  ['', ''],
])('RFC 7541: %s is "%s"', (hex, text) => {
  expect(decode(hex)).toBe(text);
});

test.each([
  ['ff', 'padding of eight bits'],
  ['07 ff', 'a byte of padding after a symbol that ended with its byte'],
  ['00', 'padding of zeros'],
  ['18', 'padding of zeros after a symbol'],
  ['ffff ffff', 'the end-of-string symbol'],
])('RFC 7541 section 5.2: %s is refused: %s', (hex) => {
  expect(decode(hex)).toBeUndefined();
});

test('every symbol of the long codes is decoded to the byte that it stands for', () => {
  // 30 bits for LF, CR and SYN; 28 for DEL; 13 for NUL; padded with ones.
  expect(decode('ffff fff3')).toBe('\n');
  expect(decode('ffff fff7')).toBe('\r');
  expect(decode('ffff fffb')).toBe('\x16');
  expect(decode('ffff ffcf')).toBe('\x7f');
  expect(decode('ffc7')).toBe('\0');
});
