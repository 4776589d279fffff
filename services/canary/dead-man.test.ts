import { afterEach, expect, test } from '@jest/globals';
import { type Listening, listen } from '../../shared/http/listen.ts';
import { createDeadManSwitch } from './dead-man.ts';
import type { CanaryEvents } from './events.ts';

let watcher: Listening | undefined;
afterEach(() => watcher?.close());

async function setUp(statusCode: number) {
  const requests: string[] = [];
  watcher = await listen(
    (request, response) => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(statusCode).end();
    },
    { host: '127.0.0.1', port: 0 },
  );
  const clock = { now: 0 };
  const answers: boolean[] = [];
  const waiting: (() => void)[] = [];
  const deadmanPinged = (ok: boolean) => {
    answers.push(ok);
    waiting.shift()?.();
  };
  const onProof = createDeadManSwitch(`http://127.0.0.1:${watcher.port}/ping`, {
    events: { deadmanPinged } as CanaryEvents,
    now: () => clock.now,
    signal: new AbortController().signal,
  });
  const answered = () => new Promise<void>((resolve) => waiting.push(resolve));
  return { requests, clock, answers, onProof, answered };
}

test('P5: the outside watcher hears of a proof and of nothing else, at most every 30 s', async () => {
  const { requests, clock, onProof, answered } = await setUp(200);
  expect(requests).toEqual([]);
  for (const [now, sent] of [
    [1_000, true],
    [2_000, false],
    [30_999, false],
    [31_000, true],
  ] as const) {
    clock.now = now;
    const answer = sent ? answered() : undefined;
    onProof();
    await answer;
  }
  expect(requests).toEqual(['GET /ping', 'GET /ping']);
});

test('a watcher that refuses is told as such', async () => {
  const { answers, onProof, answered } = await setUp(503);
  const answer = answered();
  onProof();
  await answer;
  expect(answers).toEqual([false]);
});
