import { expect, test } from '@jest/globals';
import { sleep } from '../../../shared/time/sleep.ts';
import type { LaneMessage, LaneResult, LaneTarget } from './lane-target.ts';
import { publishAlert } from './publish-alert.ts';

const message: LaneMessage = {
  id: 'i',
  contentHash: 'h',
  audience: 'public',
  sender: 's',
  jws: 'j',
};
const ACKNOWLEDGED: LaneResult = { kind: 'acknowledged' };
const FAILED: LaneResult = { kind: 'failed', reason: 'down' };

type Send = LaneTarget['send'];
const answers =
  (result: LaneResult, afterMs = 0): Send =>
  async (_message, _timeoutMs, signal) =>
    (await sleep(afterMs, signal)) ? result : FAILED;
const never: Send = async (_message, timeoutMs, signal) => {
  await sleep(timeoutMs, signal);
  return FAILED;
};

function target(key: string, send: Send): LaneTarget {
  const [kind, site] = key.split(':') as ['bus' | 'dispatcher' | 'edge', string];
  return { key, kind, site, name: site, counts: kind !== 'edge', send };
}

async function publish(targets: LaneTarget[], deadlineMs = 300) {
  const results: string[] = [];
  const startedMs = performance.now();
  const { decided, finished } = publishAlert(message, targets, {
    deadlineMs,
    random: () => 0,
    signal: new AbortController().signal,
    onResult: ({ key }, { kind }) => results.push(`${key} ${kind}`),
  });
  const decision = await decided;
  return { decision, finished, results, tookMs: performance.now() - startedMs };
}

test('P1: two sites, by whichever lane, are enough, and nobody slower is waited for', async () => {
  const { decision, tookMs } = await publish([
    target('bus:a', answers(ACKNOWLEDGED)),
    target('dispatcher:a', never),
    target('bus:b', never),
    target('dispatcher:b', answers(ACKNOWLEDGED, 10)),
    target('edge:a', never),
  ]);
  expect(decision).toMatchObject({
    kind: 'two-sites',
    by: [{ key: 'bus:a' }, { key: 'dispatcher:b' }],
  });
  expect(tookMs).toBeLessThan(150);
});

test('P1: both lanes of one site are one site, however often they say yes', async () => {
  const { decision, tookMs } = await publish([
    target('bus:a', answers(ACKNOWLEDGED)),
    target('dispatcher:a', answers(ACKNOWLEDGED)),
    target('bus:b', answers(FAILED)),
    target('edge:b', answers(ACKNOWLEDGED)),
  ]);
  expect(decision).toMatchObject({ kind: 'one-site' });
  expect(tookMs).toBeGreaterThan(250);
});

test('P1: an edge’s answer does not count', async () => {
  const { decision } = await publish([
    target('edge:a', answers(ACKNOWLEDGED)),
    target('bus:b', answers(FAILED)),
  ]);
  expect(decision).toEqual({ kind: 'not-stored' });
});

test('P1: when nobody acknowledges, the refusal comes at the deadline and nothing is sent after it', async () => {
  const { decision, finished, results, tookMs } = await publish([
    target('bus:a', answers(FAILED)),
    target('bus:b', never),
  ]);
  expect(decision).toEqual({ kind: 'not-stored' });
  expect(tookMs).toBeLessThan(450);
  await finished;
  const sent = results.length;
  await sleep(100);
  expect(results).toHaveLength(sent);
});

test('an attempt that failed is repeated with the same message until the deadline', async () => {
  let attempts = 0;
  const thirdTime: Send = async () => (++attempts < 3 ? FAILED : ACKNOWLEDGED);
  const { decision } = await publish(
    [target('bus:a', thirdTime), target('bus:b', answers(ACKNOWLEDGED))],
    1_000,
  );
  expect(decision.kind).toBe('two-sites');
  expect(attempts).toBe(3);
});

test('with one site configured nothing better is waited for', async () => {
  const { decision, tookMs } = await publish([
    target('bus:a', answers(ACKNOWLEDGED)),
    target('dispatcher:a', never),
  ]);
  expect(decision.kind).toBe('one-site');
  expect(tookMs).toBeLessThan(150);
});

test('a dispatcher that holds another content under the id refuses the request; after the answer it is only reported', async () => {
  const early = await publish([
    target('dispatcher:a', answers({ kind: 'conflict' })),
    target('bus:b', answers(ACKNOWLEDGED, 50)),
  ]);
  expect(early.decision).toMatchObject({ kind: 'conflict', at: { key: 'dispatcher:a' } });
  const late = await publish([
    target('bus:a', answers(ACKNOWLEDGED)),
    target('bus:b', answers(ACKNOWLEDGED)),
    target('dispatcher:a', answers({ kind: 'conflict' }, 50)),
  ]);
  expect(late.decision.kind).toBe('two-sites');
  await late.finished;
  expect(late.results).toContain('dispatcher:a conflict');
});

test('no targets at all is a refusal, at once', async () => {
  expect((await publish([])).decision).toEqual({ kind: 'not-stored' });
});
