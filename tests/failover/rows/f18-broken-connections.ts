import { setTimeout as delay } from 'node:timers/promises';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { playProviderFault, UNTOUCHED } from '../harness/provider-fault.ts';
import { type Providers, providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

interface Case {
  readonly what: string;
  readonly when: 'before' | 'in-flight';
  readonly lastsMs: number;
  /** After a 5xx a sender waits for ten seconds, after a lost connection for one; then its own pauses. */
  readonly withinMs: number;
  readonly begin: (providers: Providers, struck: TransportKind) => Promise<void>;
}

const switched =
  (switches: Readonly<Record<string, unknown>>): Case['begin'] =>
  (providers, struck) =>
    providers.switch({ [struck]: switches });

const CASES: readonly Case[] = [
  {
    what: 'GOAWAY with an error, requests in flight',
    when: 'before',
    lastsMs: 2_000,
    withinMs: 20_000,
    begin: switched({ abruptGoawayEvery: 40 }),
  },
  {
    what: 'TCP reset of all connections, requests in flight',
    when: 'in-flight',
    lastsMs: 1_500,
    withinMs: 20_000,
    begin: async ({ links }, struck) => {
      links[struck].set({ cut: true });
      await delay(500);
      links[struck].set({});
    },
  },
  {
    what: 'the network swallows everything for 6 s',
    when: 'in-flight',
    lastsMs: 6_000,
    withinMs: 30_000,
    begin: async ({ links }, struck) => links[struck].set({ halfOpen: true }),
  },
  {
    what: 'a middle box forgets the connections, requests in flight',
    when: 'in-flight',
    lastsMs: 2_000,
    withinMs: 30_000,
    begin: async ({ links }, struck) => links[struck].forget(),
  },
  {
    what: '503 for all',
    when: 'before',
    lastsMs: 5_000,
    withinMs: 40_000,
    begin: switched({ status5xxShare: 1 }),
  },
  {
    what: 'GOAWAY as it should be',
    when: 'before',
    lastsMs: 2_000,
    withinMs: 20_000,
    begin: switched({ goawayEvery: 20 }),
  },
  {
    what: 'every 30th request resets its connection',
    when: 'before',
    lastsMs: 2_000,
    withinMs: 20_000,
    begin: switched({ resetEvery: 30 }),
  },
  {
    what: '500 for nine of ten, Retry-After left out',
    when: 'before',
    lastsMs: 3_000,
    withinMs: 40_000,
    begin: switched({ status5xxShare: 0.9, status5xx: 500 }),
  },
];
/** In a sabotaged run the one that lets nothing through. */
const ALL_503 = 4;
const STRUCK = ['web-push', 'fcm'] as const;

export const brokenConnections: Row = {
  id: 'F18',
  title:
    'a storm of 5xx, GOAWAY (graceful, abrupt), TCP resets with requests in flight, connections that are dead and do not say so',
  promise: `every send settles within 10 s, everybody gets it once, and the other transport’s last device has it within ${UNTOUCHED} × its undisturbed time`,
  runs: { full: CASES.length * STRUCK.length, short: 1, seconds: 11 },
  seenToFail: '503 for longer than the alert is valid: nobody is tried again',
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  const fault = CASES[stage.sabotage ? ALL_503 : run % CASES.length];
  // Neighbours strike different providers, and each case strikes both.
  const struck = STRUCK[(run + Math.floor(run / CASES.length)) % STRUCK.length];
  if (!fault || !struck) throw new Error('there is no such case');
  return playProviderFault(stage, all, {
    ...fault,
    struck,
    begin: () => fault.begin(all, struck),
  });
}
