import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { type ClockSkew, skewOf, watchClocks } from './watch-clocks.ts';

const AT = Date.UTC(2026, 6, 14, 20, 31, 7);
const http = (ms: number) => new Date(ms).toUTCString();

test.each([
  ['the same second', http(AT), AT + 400, AT + 410, 0],
  ['the second ended on the way', http(AT), AT + 990, AT + 1_005, 0],
  ['two hours ahead', http(AT + 7_200_000), AT + 500, AT + 500, 7_200_000],
  ['ten seconds behind', http(AT - 10_000), AT + 500, AT + 500, -10_000],
  ['too long on its way', http(AT), AT, AT + 1_001, undefined],
  ['our own clock was set back meanwhile', http(AT), AT + 10, AT, undefined],
  ['no date', null, AT, AT, undefined],
  ['not a date', 'yesterday', AT, AT, undefined],
])('%s', (_what, date, askedMs, answeredMs, expected) => {
  expect(skewOf(date, askedMs, answeredMs)).toBe(expected);
});

test('a node whose clock is two hours off is measured by a real answer; one that is away is not guessed', async () => {
  const server = createServer((_request, response) => {
    response.setHeader('date', http(Date.now() + 7_200_000)).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = new AbortController();
  const first = Promise.withResolvers<ClockSkew>();
  const clocks = watchClocks(
    [
      { kind: 'dispatcher', peer: { name: 'b', site: 'b', url } },
      { kind: 'ingest', peer: { name: 'c', site: 'c', url: 'http://127.0.0.1:1' } },
    ],
    { wallNow: Date.now, now: () => 5, onSkew: first.resolve, signal: stop.signal },
  );
  const skew = await first.promise;
  expect(skew).toMatchObject({ kind: 'dispatcher', name: 'b', measuredAtMs: 5 });
  expect(Math.abs(skew.skewMs - 7_200_000)).toBeLessThan(1_500);
  expect(clocks.states()).toEqual([skew]);
  stop.abort();
  await clocks.running;
  await new Promise((resolve) => server.close(resolve));
});
