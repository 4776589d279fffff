import { expect, test } from '@jest/globals';
import { listen } from '../../shared/http/listen.ts';
import { eventually } from '../../tests/support/edge.ts';
import { judgePath, newPathRecord, recordRound } from './judge.ts';
import { allPaths } from './paths.ts';
import { pathsReport } from './paths-report.ts';
import { watchOtherCanaries } from './watch-peers.ts';

const NOW = 1_000_000;

test('P5: another canary is silent until it has answered, and its proofs grow old by our own clock', async () => {
  const judged = allPaths(['a'], ['a']).map((path, i) => {
    const fresh = newPathRecord(path, 0);
    const record = i === 0 ? recordRound(fresh, { kind: 'proved', latencyMs: 1 }, 70_000) : fresh;
    return judgePath(record, 100_000, { periodMs: 60_000, limitMs: 10_000 });
  });
  // Its own clock is two hours ahead.
  const report = pathsReport('b', judged, NOW + 7_200_000);
  const at = { host: '127.0.0.1', port: 0 };
  const well = await listen((_request, response) => response.end(JSON.stringify(report)), at);
  const junk = await listen((_request, response) => response.end('{"status":"ok"}'), at);
  const peer = (name: string, port: number) => ({
    name,
    site: name,
    url: `http://127.0.0.1:${port}`,
  });
  const stop = new AbortController();
  const others = watchOtherCanaries([peer('b', well.port), peer('c', junk.port), peer('d', 1)], {
    now: () => NOW,
    signal: stop.signal,
  });
  const silent = {
    reachable: false,
    newestProofAtMs: undefined,
    provedPaths: 0,
    totalPaths: 0,
    silentSinceMs: NOW,
  };
  expect(others.states()).toEqual(['b', 'c', 'd'].map((name) => ({ name, ...silent })));
  await eventually('the one that is well has answered', () =>
    others.states().some(({ reachable }) => reachable),
  );
  stop.abort();
  await others.running;
  expect(others.states()).toEqual([
    {
      name: 'b',
      reachable: true,
      newestProofAtMs: NOW - 30_000,
      provedPaths: 1,
      totalPaths: 4,
      silentSinceMs: undefined,
    },
    { name: 'c', ...silent },
    { name: 'd', ...silent },
  ]);
  await well.close();
  await junk.close();
});
