import { expect, test } from '@jest/globals';
import { addressKey, createAddressLimit } from './address-limit.ts';

test('an address gets its share at once, then has to wait as long as it is told', () => {
  const limit = createAddressLimit(3);
  expect([limit('192.0.2.1', 0), limit('192.0.2.1', 0), limit('192.0.2.1', 0)]).toEqual([0, 0, 0]);
  const wait = limit('192.0.2.1', 0);
  expect(wait).toBe(20);
  expect(limit('192.0.2.2', 0)).toBe(0);
  expect(limit('192.0.2.1', wait * 1000)).toBe(0);
  expect(limit('192.0.2.1', wait * 1000)).toBeGreaterThan(0);
});

test('P12: a flood of addresses does not grow the memory; a clock that goes back does no harm', () => {
  const limit = createAddressLimit(1, 2);
  expect(limit('192.0.2.1', 1000)).toBe(0);
  expect(limit('192.0.2.1', 0)).toBeGreaterThan(0);
  limit('192.0.2.2', 1000);
  limit('192.0.2.3', 1000);
  expect(limit('192.0.2.1', 1000)).toBe(0);
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
])('a home’s whole IPv6 network counts as one address: %s is %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
