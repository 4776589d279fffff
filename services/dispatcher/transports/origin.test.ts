import { expect, test } from '@jest/globals';
import { socketAddress } from './origin.ts';

test.each([
  ['https://push.example', { host: 'push.example', port: 443, servername: 'push.example' }],
  ['https://push.example:8443', { host: 'push.example', port: 8443, servername: 'push.example' }],
  ['https://127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
  ['https://[::1]:8443', { host: '::1', port: 8443 }],
  ['https://[2001:db8::7]', { host: '2001:db8::7', port: 443 }],
])(
  'a socket to %s gets a host without brackets, and a name only where there is one',
  (origin, address) => {
    expect(socketAddress(origin)).toEqual(address);
  },
);
