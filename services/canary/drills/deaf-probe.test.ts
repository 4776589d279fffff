import { expect, jest, test } from '@jest/globals';
import type { Probe, ProbeEvents } from '../probes/probe.ts';
import { startDeafable } from './deaf-probe.ts';

jest.useFakeTimers();

/** A probe of which every life is counted. */
function setUp() {
  const lives: { closed: boolean; renewed: number; events: ProbeEvents; probe: Probe }[] = [];
  const start = (events: ProbeEvents): Probe => {
    if (lives.some(({ closed }) => !closed)) throw new Error('two lives at once');
    const probe: Probe = {
      name: 'a-fcm',
      transport: 'fcm',
      deviceId: 'd'.repeat(22),
      subscription: () => undefined,
      connected: () => !life.closed,
      renew: () => {
        life.renewed++;
      },
      close: async () => {
        await Promise.resolve();
        life.closed = true;
      },
    };
    const life = { closed: false, renewed: 0, events, probe };
    lives.push(life);
    return probe;
  };
  const heard: [Probe, unknown][] = [];
  const changes: (number | undefined)[] = [];
  const events: ProbeEvents = {
    onPayload: async (probe, payload) => {
      heard.push([probe, payload]);
    },
    onUndecryptable: () => undefined,
    onSubscription: () => undefined,
  };
  const onChange = (_probe: string, untilMs: number | undefined) => changes.push(untilMs);
  const probe = startDeafable(start, events, { now: Date.now, onChange });
  return { lives, heard, changes, probe };
}

test('deaf means that the connection is closed and none is opened, until the time is over; then it hears by itself', async () => {
  const { lives, changes, probe } = setUp();
  const untilMs = Date.now() + 60_000;
  await probe.deafen(60_000);
  expect(probe).toMatchObject({ name: 'a-fcm', transport: 'fcm' });
  expect([probe.connected(), probe.deafUntilMs(), lives[0]?.closed]).toEqual([
    false,
    untilMs,
    true,
  ]);
  // The silence of a deaf probe is not healed by asking the provider for another address.
  probe.renew();
  expect(lives[0]?.renewed).toBe(0);
  await jest.advanceTimersByTimeAsync(59_000);
  expect(lives).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(1_001);
  expect([probe.connected(), probe.deafUntilMs(), lives.length]).toEqual([true, undefined, 2]);
  probe.renew();
  expect(lives[1]?.renewed).toBe(1);
  expect(changes).toEqual([untilMs, undefined]);
  await probe.close();
});

test('what any life of the probe hears is heard by one and the same probe', async () => {
  const { lives, heard, probe } = setUp();
  await probe.deafen(1_000);
  await jest.advanceTimersByTimeAsync(1_001);
  for (const life of lives) await life.events.onPayload(life.probe, 'x');
  expect(heard).toEqual([
    [probe, 'x'],
    [probe, 'x'],
  ]);
  await probe.close();
});

test('the last word counts: made deaf again it stays deaf for the new time, told to hear it hears at once', async () => {
  const { lives, probe } = setUp();
  await probe.deafen(1_000);
  await probe.deafen(10_000);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(probe.connected()).toBe(false);
  await probe.deafen(0);
  expect(probe.connected()).toBe(true);
  await probe.deafen(0);
  expect(lives).toHaveLength(2);
  // In one breath: it must not end with a connection that nobody knows of.
  const both = [probe.deafen(1_000), probe.deafen(0), probe.deafen(1_000)];
  await Promise.all(both);
  expect(probe.connected()).toBe(false);
  expect(lives.every(({ closed }) => closed)).toBe(true);
  await probe.close();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(lives.every(({ closed }) => closed)).toBe(true);
});
