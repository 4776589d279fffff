import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { playProviderFault, UNTOUCHED } from '../harness/provider-fault.ts';
import { type Providers, providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const LASTS_MS = 4_000;
/** A send's deadline, the retry after it, and one more that may be lost the same way. */
const WITHIN_MS = 30_000;

type Begin = (providers: Providers, transports: readonly TransportKind[]) => Promise<void>;

const onEach =
  (switches: Readonly<Record<string, unknown>>): Begin =>
  (providers, transports) =>
    providers.switch(Object.fromEntries(transports.map((each) => [each, switches])));

const FAULTS: readonly { readonly what: string; readonly begin: Begin }[] = [
  { what: 'answers after 30 s', begin: onEach({ latencyMs: 30_000 }) },
  { what: 'answers byte by byte (HTTP)', begin: onEach({ trickleMs: 250 }) },
  {
    what: 'bytes one by one (TCP)',
    begin: async ({ links }, transports) => {
      for (const each of transports) links[each].set({ trickleMs: 20 });
    },
  },
];
const STRUCK = ['fcm', 'web-push'] as const;

export const slowProvider: Row = {
  id: 'F16',
  title: 'a provider that answers after 30 s, or byte by byte',
  promise: `every send settles within 10 s, everybody gets it once, and the other transport’s last device has it within ${UNTOUCHED} × its undisturbed time, which is measured right before`,
  runs: { full: FAULTS.length * STRUCK.length, short: 0, seconds: 14 },
  seenToFail: 'both providers slow: there is no transport left that goes on as before',
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  const fault = FAULTS[run % FAULTS.length];
  if (!fault) throw new Error('there is no such fault');
  return playProviderFault(
    stage,
    all,
    {
      what: fault.what,
      struck: STRUCK[Math.floor(run / FAULTS.length) % STRUCK.length] ?? 'fcm',
      when: 'before',
      lastsMs: LASTS_MS,
      withinMs: WITHIN_MS,
      begin: (transports) => fault.begin(all, transports),
    },
    'both-struck',
  );
}
