import { describe, expect, test } from '@jest/globals';
import { HpackDecoder } from './hpack-decoder.ts';

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

function decodeWith(decoder: HpackDecoder, hex: string, wanted = Number.POSITIVE_INFINITY) {
  const fields: string[] = [];
  const bytes = bytesOf(hex);
  const isGood = decoder.decode(bytes, 0, bytes.length, {
    onField: (name, value) => fields.push(`${name}: ${value}`) < wanted,
  });
  return isGood ? fields : undefined;
}

const decode = (hex: string) => decodeWith(new HpackDecoder(), hex);

test.each([
  ['400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572', 'custom-key: custom-header'],
  ['040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path'],
  ['1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret'],
  ['82', ':method: GET'],
  ['3f e1 1f 88', ':status: 200'],
])('RFC 7541 C.2 and 6.3: %s is "%s"', (hex, field) => {
  expect(decode(hex)).toEqual([field]);
});

const REQUESTS = [
  [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
  [
    ...[':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'],
    'cache-control: no-cache',
  ],
  [
    ...[':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com'],
    'custom-key: custom-value',
  ],
];
const LOCATION = 'location: https://www.example.com';
const RESPONSES = [
  [':status: 302', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', LOCATION],
  [':status: 307', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', LOCATION],
  [
    ...[':status: 200', 'cache-control: private', 'date: Mon, 21 Oct 2013 20:13:22 GMT', LOCATION],
    'content-encoding: gzip',
    'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
  ],
];

describe.each([
  [
    'C.3: requests without Huffman',
    4096,
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
    ],
    REQUESTS,
  ],
  [
    'C.4: requests with Huffman',
    4096,
    [
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      '8286 84be 5886 a8eb 1064 9cbf',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
    ],
    REQUESTS,
  ],
  [
    'C.5: responses without Huffman, with evictions',
    256,
    [
      '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '4803 3330 37c1 c0bf',
      '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
    ],
    RESPONSES,
  ],
  [
    'C.6: responses with Huffman, with evictions',
    256,
    [
      '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ],
    RESPONSES,
  ],
])('RFC 7541 %s', (_title, tableSize, blocks, expected) => {
  test('three blocks on one connection', () => {
    const decoder = new HpackDecoder(tableSize);
    expect(blocks.map((hex) => decodeWith(decoder, hex))).toEqual(expected);
  });
});

test.each([
  ['80', 'index 0'],
  ['be', 'a place in the table that is empty'],
  ['ff ff ff ff ff 0f', 'an index beyond everything'],
  ['7f ff ff ff ff ff ff', 'an integer without an end'],
  ['00', 'a literal without a name'],
  ['00 01 61', 'a literal without a value'],
  ['00 05 61 62', 'a name that is longer than the block'],
  ['48 7f ff ff 7f', 'a value that is longer than the block'],
  ['48 82 ff ff', 'a value that is no Huffman code'],
  ['3f e2 1f', 'a table larger than what we allow'],
  ['88 20', 'a table size in the middle of a block'],
])('RFC 7541: %s is refused: %s', (hex) => {
  expect(decode(hex)).toBeUndefined();
});

test('what is not wanted any more is passed over, but its entries are in the table', () => {
  const decoder = new HpackDecoder();
  expect(decodeWith(decoder, '88 4001 6101 62 0001 6301 64', 1)).toEqual([':status: 200']);
  expect(decodeWith(decoder, 'be')).toEqual(['a: b']);
});

test('after we allowed no table, old entries are gone and new ones are not kept', () => {
  const decoder = new HpackDecoder();
  decodeWith(decoder, '4001 6101 62');
  decoder.allow(0);
  expect(decodeWith(decoder, 'be')).toBeUndefined();
  expect(decodeWith(decoder, '20 4001 6101 62')).toEqual(['a: b']);
  expect(decodeWith(decoder, 'be')).toBeUndefined();
  expect(decodeWith(decoder, '21')).toBeUndefined();
});

test('RFC 7541 section 4.4: an entry larger than the table empties it', () => {
  const decoder = new HpackDecoder(40);
  decodeWith(decoder, '4001 6101 62');
  expect(decodeWith(decoder, 'be')).toEqual(['a: b']);
  expect(decodeWith(decoder, '4005 6161 6161 6105 6161 6161 61')).toEqual(['aaaaa: aaaaa']);
  expect(decodeWith(decoder, 'be')).toBeUndefined();
});

test('short texts that were read before are told apart, by length, by bytes, and by how they were written', () => {
  const decoder = new HpackDecoder(0);
  const blocks = [
    '08 00',
    '08 01 61',
    '08 02 61 61',
    '08 02 10 03',
    '08 82 10 03',
    '08 03 32 30 31',
  ];
  const values = ['', 'a', 'aa', '\x10\x03', '201', '201'].map((value) => [`:status: ${value}`]);
  for (let time = 0; time < 2; time++)
    expect(blocks.map((hex) => decodeWith(decoder, hex))).toEqual(values);
  for (let time = 0; time < 2; time++) expect(decodeWith(decoder, '08 81 00')).toBeUndefined();
});
