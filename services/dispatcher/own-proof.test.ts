import { expect, test } from '@jest/globals';
import { CanaryPath, TRANSPORTS } from '../../shared/envelope/envelope.ts';
import { listen } from '../../shared/http/listen.ts';
import { isBack, startOwnProof } from './own-proof.ts';

const STARTED = 1_000_000;
const at = (seconds: number) => STARTED + seconds * 1000;

test.each([
  ['its own round was sent after the start', 3, 1, 5, true],
  ['its own round was sent before the start', -1, 1, 5, false],
  ['others were proved since, and it was not', undefined, 2, 5, false],
  ['others were proved since, and it was not, for however long', undefined, 290, 300, false],
  ['others were proved shortly before its start', undefined, -10, 5, false],
  ['nobody was proved since its start, for a while', undefined, -10, 46, true],
  ['others were proved long ago: all are waiting', undefined, -151, 0, true],
  ['nobody was ever proved: all are waiting', undefined, undefined, 0, true],
])('readiness by receipt: when %s', (_what, own, others, now, expected) => {
  const proofs = {
    ownSentAtMs: own === undefined ? undefined : at(own),
    othersProvedAtMs: others === undefined ? undefined : at(others),
  };
  expect(isBack(proofs, { startedMs: STARTED, nowMs: at(now) })).toBe(expected);
});

const path = (dispatcher: string, transport: string) =>
  CanaryPath.parse({ ingest: 'a', lane: 'bus', dispatcher, transport });
const round = (dispatcher: string, transport: string, ageMs = 0) => ({
  path: path(dispatcher, transport),
  ageMs,
  latencyMs: 10,
});

/** A canary that says at the start how long ago node b was proved on both transports. */
async function startCanary(ageSeconds: number | null) {
  const paths = TRANSPORTS.map((transport) => ({
    name: 'x',
    path: path('b', transport),
    state: 'proved',
    ageSeconds,
    latencyMs: ageSeconds === null ? null : 12,
  }));
  return listen(
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ canary: 'a', paths }));
    },
    { host: '127.0.0.1', port: 0 },
  );
}

async function until(condition: () => boolean) {
  for (const deadline = Date.now() + 5_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function start(ports: readonly number[]) {
  let nowMs = STARTED;
  let timesAsked = 0;
  const canaries = ports.map((port, i) => ({
    name: `c${i}`,
    site: `c${i}`,
    url: `http://127.0.0.1:${port}`,
  }));
  const signal = new AbortController().signal;
  const now = () => {
    timesAsked++;
    return nowMs;
  };
  const proof = startOwnProof({ node: 'a', canaries, now, signal });
  const askedAtStart = timesAsked;
  return {
    ...proof,
    /** A canary's answer is the next thing that needs the time. */
    hasHeard: () => timesAsked > askedAtStart,
    wait: (seconds: number) => {
      nowMs += seconds * 1000;
    },
    now: () => nowMs,
  };
}

test('a restarted dispatcher is not ready before its own canary came back on every transport; then it stays ready', async () => {
  const canary = await startCanary(4);
  const own = start([canary.port]);
  expect(own.isBack()).toBe(false);
  await until(own.hasHeard);
  expect(own.isBack()).toBe(false);
  own.wait(5);
  own.note({ proofs: [round('b', 'fcm'), round('b', 'web-push'), round('a', 'fcm')] }, own.now());
  expect(own.isBack()).toBe(false);
  // Sent before the restart, told of after it: another process's work.
  own.note({ proofs: [round('a', 'web-push', 6_000)] }, own.now());
  expect(own.isBack()).toBe(false);
  own.note({ proofs: [round('a', 'web-push', 100)] }, own.now());
  expect(own.isBack()).toBe(true);
  own.wait(3_600);
  expect(own.isBack()).toBe(true);
  await canary.close();
});

test('it serves when all are waiting, when no canary answers, and when there is none', async () => {
  const canary = await startCanary(null);
  const cold = start([canary.port]);
  await until(cold.isBack);
  const deaf = start([1]);
  await until(deaf.isBack);
  expect(start([]).isBack()).toBe(true);
  await canary.close();
});
