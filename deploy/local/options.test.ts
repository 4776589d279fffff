import { expect, test } from '@jest/globals';
import { readOptions } from './options.ts';

test('two sites on 8400 in .tocsin, unless told otherwise; an empty variable counts as absent', () => {
  const defaults = { sites: 2, portBase: 8400, stateDir: '.tocsin', netns: 'auto' };
  expect(readOptions({})).toEqual(defaults);
  expect(readOptions({ SITES: '', PORT_BASE: '', STATE_DIR: '' })).toEqual(defaults);
  const given = { SITES: '3', PORT_BASE: '9000', STATE_DIR: '/x', NETNS: 'off' };
  expect(readOptions(given)).toEqual({
    sites: 3,
    portBase: 9000,
    stateDir: '/x',
    netns: 'off',
  });
});

test('everything that is wrong is said at once', () => {
  expect(() => readOptions({ SITES: '4', PORT_BASE: '80' })).toThrow(
    /SITES: must be 1, 2 or 3\n {2}PORT_BASE: must be 1024/,
  );
  expect(() => readOptions({ NETNS: 'yes' })).toThrow(/NETNS: must be auto, on or off/);
  expect(() => readOptions({ SITES: 'two' })).toThrow(/SITES: must be 1, 2 or 3/);
});
