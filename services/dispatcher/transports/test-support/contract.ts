import { expect, test } from '@jest/globals';
import { type OutgoingMessage, SEND_DEADLINE_MS, type Transport } from '../transport.ts';
import { sent } from './promised.ts';
import { until } from './until.ts';

/** What a provider under test may do with a message; `hang-first`: leaves its first request alone without an answer. */
export type ProviderMood =
  | 'accept'
  | 'gone'
  | 'throttle'
  | 'fail'
  | 'refuse-auth'
  | 'hang'
  | 'hang-first'
  | 'cut';

export interface ContractHarness<Address> {
  readonly transport: Transport<Address>;
  readonly address: Address;
  /** Words that must never come out: tokens, endpoints, keys. */
  readonly secrets: readonly string[];
  readonly setMood: (mood: ProviderMood) => void;
  /** Messages that reached the provider. */
  readonly received: () => number;
}

export const exampleMessage = (changes: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  alertId: 'alert-1',
  signedMessage: 'eyJhbGciOiJFZERTQSJ9.eyJ2IjoxfQ.c2lnbmF0dXJl',
  via: 'a',
  title: 'ALERTE — Préfecture des Alpes-Maritimes',
  body: 'Mettez-vous à l’abri.',
  msgType: 'Alert',
  tag: 'alert-1',
  expiresAtMs: Date.now() + 3_600_000,
  quiet: false,
  ...changes,
});

const never = new AbortController().signal;

/** The promises of the Transport seam, for any transport against a provider of its own kind. */
export function describeTransportContract<Address>(
  name: string,
  start: () => Promise<ContractHarness<Address>>,
): void {
  describeOutcomes(name, start);
  describeLimits(name, start);
}

function describeOutcomes<Address>(
  name: string,
  start: () => Promise<ContractHarness<Address>>,
): void {
  test(`${name}: what the provider took is accepted`, async () => {
    const { transport, address, received } = await start();
    await transport.warmUp();
    expect(await sent(transport, address, exampleMessage(), never)).toEqual({ kind: 'accepted' });
    expect(received()).toBe(1);
  });

  test(`${name}: P9: a dead address is gone; throttling and failures leave it`, async () => {
    const { transport, address, setMood } = await start();
    const outcomeIn = async (mood: ProviderMood) => {
      setMood(mood);
      return (await sent(transport, address, exampleMessage(), never)).kind;
    };
    expect(await outcomeIn('gone')).toBe('gone');
    expect(await outcomeIn('throttle')).toBe('throttled');
    expect(await outcomeIn('fail')).toBe('unavailable');
    expect(await outcomeIn('refuse-auth')).toBe('unavailable');
    expect(await outcomeIn('cut')).toBe('unavailable');
  });

  test(`${name}: Retry-After is a floor`, async () => {
    const { transport, address, setMood } = await start();
    setMood('throttle');
    const outcome = await sent(transport, address, exampleMessage(), never);
    expect(outcome).toMatchObject({ kind: 'throttled', retryAfterMs: 17_000 });
  });

  test(`${name}: P3: a message whose time is up is not sent`, async () => {
    const { transport, address, received } = await start();
    const late = exampleMessage({ expiresAtMs: Date.now() - 1 });
    expect(await sent(transport, address, late, never)).toEqual({
      kind: 'rejected',
      reason: 'expired',
    });
    expect(received()).toBe(0);
  });
}

function describeLimits<Address>(
  name: string,
  start: () => Promise<ContractHarness<Address>>,
): void {
  test(`${name}: P12: a provider that hangs costs the deadline, an abort ends it at once`, async () => {
    const { transport, address, setMood } = await start();
    setMood('hang');
    const controller = new AbortController();
    const aborted = sent(transport, address, exampleMessage(), controller.signal);
    const hanging = sent(transport, address, exampleMessage(), never);
    const startedAtMs = performance.now();
    controller.abort();
    expect(await aborted).toMatchObject({ kind: 'unavailable', reason: 'aborted' });
    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
    expect(await hanging).toMatchObject({ kind: 'unavailable', reason: 'timeout' });
    expect(performance.now() - startedAtMs).toBeLessThan(SEND_DEADLINE_MS + 500);
  });

  test(`${name}: one message that never gets an answer holds up none of the other 99`, async () => {
    const { transport, address, setMood, received } = await start();
    setMood('hang-first');
    await transport.warmUp();
    const startedAtMs = performance.now();
    const hanging = sent(transport, address, exampleMessage(), never);
    await until('the first is at the provider', () => received() === 1);
    let left = 99;
    const lane = async () => {
      while (left-- > 0)
        expect(await sent(transport, address, exampleMessage(), never)).toEqual({
          kind: 'accepted',
        });
    };
    await Promise.all(Array.from({ length: Math.min(33, transport.maxInFlight - 1) }, lane));
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
    expect(await hanging).toMatchObject({ kind: 'unavailable', reason: 'timeout' });
  });

  test(`${name}: P12: more sends than maxInFlight are turned away, the rest work`, async () => {
    const { transport, address } = await start();
    await transport.warmUp();
    const sends = Array.from({ length: transport.maxInFlight + 5 }, () =>
      sent(transport, address, exampleMessage(), never),
    );
    const outcomes = await Promise.all(sends);
    const overloaded = outcomes.filter(
      (outcome) => outcome.kind === 'unavailable' && outcome.reason === 'overloaded',
    );
    expect(overloaded).toHaveLength(5);
    expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(transport.maxInFlight);
  });

  test(`${name}: after close every send settles, and no outcome ever held a secret`, async () => {
    const { transport, address, setMood, secrets } = await start();
    const outcomes = [];
    for (const mood of ['accept', 'gone', 'throttle', 'fail', 'refuse-auth', 'cut'] as const) {
      setMood(mood);
      outcomes.push(await sent(transport, address, exampleMessage(), never));
    }
    setMood('hang');
    const hanging = sent(transport, address, exampleMessage(), never);
    await transport.close();
    outcomes.push(await hanging, await sent(transport, address, exampleMessage(), never));
    expect(outcomes.slice(-2).map(({ kind }) => kind)).toEqual(['unavailable', 'unavailable']);
    const text = JSON.stringify(outcomes);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });
}
