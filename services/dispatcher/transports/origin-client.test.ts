import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OriginLimit } from '../pacing/origin-limit.ts';
import type { Pace } from '../pacing/pace.ts';
import type { Exchange } from './exchange.ts';
import { FAILED } from './exchange.ts';
import {
  ORIGIN_CLIENT_DEFAULTS,
  OriginClient,
  type OriginClientOptions,
  type Protocol,
} from './origin-client.ts';
import type { PostClient } from './post-client.ts';
import type { ProbeResult } from './probe-protocol.ts';
import type { Outcome } from './transport.ts';
import { webPushOutcomeOf } from './web-push/web-push-outcome.ts';

const never = new AbortController().signal;
const CREATED: Exchange = { kind: 'answer', status: 201, retryAfter: undefined, body: '' };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** A client whose answers the test gives. */
class Wire implements PostClient {
  readonly open: ((exchange: Exchange) => void)[] = [];
  readonly ready = Promise.resolve();
  capacity = 100;
  isClosed = false;
  post(_post: unknown, settle: (exchange: Exchange) => void): void {
    this.open.push(settle);
  }
  answer(count: number, exchange: Exchange = CREATED): void {
    for (const settle of this.open.splice(0, count)) settle(exchange);
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const FREE: Pace = {
  mayStart: () => true,
  askAgainAtMs: (nowMs) => nowMs + 10,
  started: () => undefined,
  ended: () => undefined,
};

interface Surroundings {
  readonly pace?: Pace;
  readonly isAlone?: boolean;
  /** What the service says when it is asked for the first time. */
  readonly first?: ProbeResult;
}

function start(
  options: Partial<OriginClientOptions> = {},
  { pace = FREE, isAlone = true, first = { kind: 'h2' } }: Surroundings = {},
) {
  let says: ProbeResult = first;
  let probes = 0;
  const wires: { protocol: Protocol; wire: Wire }[] = [];
  const refused: string[] = [];
  const client = new OriginClient(
    { ...ORIGIN_CLIENT_DEFAULTS, ...options },
    {
      probe: async () => {
        probes++;
        return says;
      },
      open: (protocol) => {
        const wire = new Wire();
        wires.push({ protocol, wire });
        return wire;
      },
      pace,
      outcomeOf: (exchange) => webPushOutcomeOf(exchange, Date.now()),
      onRefused: (detail) => refused.push(detail),
      isAlone: () => isAlone,
      random: () => 0.5,
      now: () => Date.now(),
    },
  );
  const outcomes: string[] = [];
  const retriesAfterMs: number[] = [];
  const note = (outcome: Outcome) => {
    outcomes.push(outcome.kind === 'unavailable' ? outcome.reason : outcome.kind);
    if (outcome.kind === 'unavailable') retriesAfterMs.push(outcome.retryAfterMs);
  };
  const send = (count = 1, signal = never, kind: 'message' | 'test' = 'message') => {
    for (let i = 0; i < count; i++) {
      const refusal = client.refusal(signal, kind);
      if (refusal !== undefined) note(client.outcomeOfRefusal(refusal));
      else client.send({ path: '/', headers: {}, body: Buffer.alloc(0), signal }, kind, note);
    }
  };
  return {
    client,
    send,
    outcomes,
    retriesAfterMs,
    wires,
    refused,
    probes: () => probes,
    wire: () => wires.at(-1)?.wire ?? new Wire(),
    say: (result: ProbeResult) => {
      says = result;
    },
  };
}

const turn = () => jest.advanceTimersByTimeAsync(1);
const tally = (outcomes: readonly string[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(outcomes, (each) => each)).map(([key, all]) => [
      key,
      all?.length,
    ]),
  );

test('what comes before the service has said what it speaks waits, and goes out then', async () => {
  const { send, outcomes, wire } = start();
  send(3);
  expect(outcomes).toEqual([]);
  await turn();
  wire().answer(3);
  expect(outcomes).toEqual(['accepted', 'accepted', 'accepted']);
});

test('no more are on the wire than the connections carry; each end lets the next one out', async () => {
  const { client, send, outcomes, wire } = start();
  await turn();
  send(250);
  expect([wire().open.length, client.open]).toEqual([100, 250]);
  wire().answer(60);
  expect([wire().open.length, client.open]).toEqual([100, 190]);
  for (let i = 0; i < 3; i++) wire().answer(100);
  expect(tally(outcomes)).toEqual({ accepted: 250 });
});

test('P12: the line is bounded, and shorter while others want the places', async () => {
  const alone = start({ maxWaiting: 10, maxWaitingAlone: 20 });
  const amongOthers = start({ maxWaiting: 10, maxWaitingAlone: 20 }, { isAlone: false });
  await turn();
  alone.send(130);
  amongOthers.send(130);
  expect(tally(alone.outcomes)).toEqual({ overloaded: 10 });
  expect(tally(amongOthers.outcomes)).toEqual({ overloaded: 20 });
});

test('a service that hangs gives its line back after two seconds and takes a few to show that it is back', async () => {
  const { send, outcomes, wire } = start();
  await turn();
  send(300);
  await jest.advanceTimersByTimeAsync(2_100);
  expect(tally(outcomes)).toEqual({ overloaded: 200 });
  send(5);
  expect(tally(outcomes)).toEqual({ overloaded: 205 });
  wire().answer(95, FAILED.timeout);
  send(20);
  expect(wire().open.length).toBe(16);
  wire().answer(1);
  send(60);
  expect(tally(outcomes)).toEqual({ overloaded: 214, timeout: 95, accepted: 1 });
  expect(wire().open.length).toBe(75);
});

test('a deadline and an abort end what waits in the line', async () => {
  const { send, outcomes, wire } = start({ stalledAfterMs: 60_000 });
  const controller = new AbortController();
  await turn();
  send(100);
  send(5, controller.signal);
  send(5);
  controller.abort();
  expect(tally(outcomes)).toEqual({ aborted: 5 });
  await jest.advanceTimersByTimeAsync(9_010);
  expect(tally(outcomes)).toEqual({ aborted: 5, timeout: 5 });
  wire().answer(100);
  expect(wire().open.length).toBe(0);
});

test('a service that cannot be reached fails what waits and what comes, until it can', async () => {
  const first = { kind: 'unreachable', detail: 'ECONNREFUSED' } as const;
  const { send, outcomes, refused, say, wire } = start({}, { first });
  send(2);
  await turn();
  send(1);
  expect(outcomes).toEqual(['connection', 'connection', 'connection']);
  expect(refused).toEqual(['ECONNREFUSED']);
  say({ kind: 'h2' });
  await jest.advanceTimersByTimeAsync(1_000);
  send(1);
  wire().answer(1);
  expect(outcomes.at(-1)).toBe('accepted');
});

test('HTTP/1.1 is believed for an hour; then HTTP/2 is taken up, and what is under way is not lost', async () => {
  const { send, outcomes, wires, say, probes } = start(
    { stalledAfterMs: 1e9 },
    { first: { kind: 'http/1.1' } },
  );
  await jest.advanceTimersByTimeAsync(1_000);
  say({ kind: 'h2' });
  await jest.advanceTimersByTimeAsync(3_598_000);
  expect([wires.map(({ protocol }) => protocol), probes()]).toEqual([['http/1.1'], 1]);
  send(1);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(wires.map(({ protocol }) => protocol)).toEqual(['http/1.1', 'h2']);
  wires[0]?.wire.answer(1);
  send(1);
  wires[1]?.wire.answer(1);
  expect(outcomes).toEqual(['accepted', 'accepted']);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(wires.map(({ wire }) => wire.isClosed)).toEqual([true, false]);
});

test('connections that only fail are a reason to ask again: perhaps there is no HTTP/2 any more', async () => {
  const { send, outcomes, wires, wire, say } = start();
  await turn();
  say({ kind: 'http/1.1' });
  wire().capacity = 0;
  send(3);
  wire().answer(3, FAILED.connection);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(wires.map(({ protocol }) => protocol)).toEqual(['h2', 'http/1.1']);
  send(1);
  wire().answer(1);
  expect(tally(outcomes)).toEqual({ connection: 3, accepted: 1 });
});

test('who is turned away while a service is left alone is told when that ends', async () => {
  const { send, outcomes, retriesAfterMs, wire } = start(
    {},
    { pace: new OriginLimit({ most: 400, random: () => 0.5 }) },
  );
  await turn();
  send(60);
  wire().answer(32, { kind: 'answer', status: 429, retryAfter: '20', body: '' });
  await jest.advanceTimersByTimeAsync(8_000);
  send(1);
  expect(tally(outcomes)).toEqual({ throttled: 32, overloaded: 29 });
  // 28 lost their places in the line when it was throttled, the last one came eight seconds later.
  expect(retriesAfterMs.slice(0, 28).every((ms) => ms > 19_000 && ms <= 20_000)).toBe(true);
  expect(retriesAfterMs.at(-1)).toBeLessThanOrEqual(12_000);
  expect(retriesAfterMs.at(-1)).toBeGreaterThan(11_900);
});

test('a service that throttles as a whole is left alone for its Retry-After, and holds no places meanwhile', async () => {
  const { send, outcomes, wire } = start(
    {},
    { pace: new OriginLimit({ most: 400, random: () => 0.5 }) },
  );
  await turn();
  send(60);
  expect(wire().open.length).toBe(32);
  wire().answer(32, { kind: 'answer', status: 429, retryAfter: '20', body: '' });
  await jest.advanceTimersByTimeAsync(50);
  expect(tally(outcomes)).toEqual({ throttled: 32, overloaded: 28 });
  send(1);
  expect(outcomes.at(-1)).toBe('overloaded');
  await jest.advanceTimersByTimeAsync(21_000);
  send(1);
  wire().answer(1);
  expect(outcomes.at(-1)).toBe('accepted');
});

test('a provider that is down is tried by a canary’s message while others are held', async () => {
  const { send, outcomes, wire } = start(
    {},
    { pace: new OriginLimit({ most: 400, random: () => 0.5 }) },
  );
  await turn();
  for (let i = 0; i < 30; i++) {
    send(1);
    await jest.advanceTimersByTimeAsync(150);
    wire().answer(1, { kind: 'answer', status: 503, retryAfter: undefined, body: '' });
  }
  send(1, never, 'test');
  expect(wire().open.length).toBe(1);
  wire().answer(1);
  send(1);
  wire().answer(1);
  expect(outcomes.slice(-2)).toEqual(['accepted', 'accepted']);
});
