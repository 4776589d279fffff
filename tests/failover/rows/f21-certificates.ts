import type { FaultSystem } from '../harness/fault-system.ts';
import { withEnv } from '../harness/fault-system.ts';
import { playProviderFault, UNTOUCHED } from '../harness/provider-fault.ts';
import { type Providers, providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const LASTS_MS = 4_000;
/** Connections are tried again at growing intervals of up to 10 s, protocols of up to 30 s. */
const WITHIN_MS = 45_000;
const CASES = [
  { certificate: 'expired', struck: 'fcm' },
  { certificate: 'wrong-name', struck: 'web-push' },
  { certificate: 'expired', struck: 'web-push' },
  { certificate: 'wrong-name', struck: 'fcm' },
] as const;

export const certificates: Row = {
  id: 'F21',
  title:
    'an expired certificate, or one for another name, on a provider’s address; then the right one again',
  promise: `not one request goes to whoever shows it, then everybody gets it once; the other transport’s last device has it within ${UNTOUCHED} × its undisturbed time`,
  runs: { full: CASES.length, short: 0, seconds: 14 },
  seenToFail: 'dispatchers that do not check certificates: the stranger gets the messages',
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  const { certificate, struck } = CASES[run % CASES.length] ?? CASES[0];
  if (stage.sabotage) await trustAnybody(all.system);
  let requestsBefore = 0;
  return playProviderFault(
    stage,
    all,
    {
      what: `${certificate} certificate`,
      struck,
      when: 'before',
      lastsMs: LASTS_MS,
      withinMs: WITHIN_MS,
      begin: async () => {
        await all.switch({ [struck]: { certificate } });
        requestsBefore = await all.requests(struck);
      },
      meanwhile: () => gone(all, struck, requestsBefore),
    },
    'none',
  );
}

async function gone(
  providers: Providers,
  struck: 'fcm' | 'web-push',
  before: number,
): Promise<string[]> {
  const requests = (await providers.requests(struck)) - before;
  return requests === 0 ? [] : [`${requests} requests went to whoever showed it`];
}

async function trustAnybody(system: FaultSystem): Promise<void> {
  const names = system.names('dispatcher');
  for (const name of names)
    await system.replace(name, withEnv({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }));
  await system.start(...names);
}
