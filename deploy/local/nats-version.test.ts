import { expect, test } from '@jest/globals';
import { compareVersions, parseNatsVersion, type Version, versionProblem } from './nats-version.ts';

test.each<[string, Version | undefined]>([
  ['nats-server: v2.15.1\n', [2, 15, 1]],
  ['nats-server: v2.14.0-RC.1', [2, 14, 0]],
  ['2.9.10', [2, 9, 10]],
  ['nats-server: v0.0.0-dev', [0, 0, 0]],
  ['command not found', undefined],
  ['', undefined],
])('reads the version in %j', (text, version) => {
  expect(parseNatsVersion(text)).toEqual(version);
});

test('compares by number, not by letter', () => {
  expect(compareVersions([2, 9, 10], [2, 12, 0])).toBeLessThan(0);
  expect(compareVersions([2, 12, 0], [2, 12, 0])).toBe(0);
  expect(compareVersions([3, 0, 0], [2, 99, 99])).toBeGreaterThan(0);
  expect(compareVersions([2, 12, 1], [2, 12, 0])).toBeGreaterThan(0);
});

test('P1: a server without sync_interval is refused by name and version', () => {
  expect(versionProblem('/usr/sbin/nats-server', [2, 9, 10])).toMatch(
    /^\/usr\/sbin\/nats-server is nats-server 2\.9\.10,.*sync_interval.*2\.12\.0 or later/,
  );
  expect(versionProblem('/usr/sbin/nats-server', [2, 12, 0])).toBeUndefined();
});
