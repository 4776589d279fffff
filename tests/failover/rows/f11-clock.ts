import { draftAlert, raise } from '../harness/alerts.ts';
import { withEnv } from '../harness/fault-system.ts';
import { faketimeLibrary } from '../harness/play-row.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const VALID_MS = 3_600_000;
/** A dispatcher whose clock makes providers refuse it holds on to its share until its proofs have lapsed (150 s). */
const WITHIN_MS = 200_000;

export const wrongClock: Row = {
  id: 'F11',
  title: 'the clock of one service two hours ahead or behind',
  promise:
    'an alert that is valid for one hour is taken (by the other ingest, if need be) and reaches everybody once',
  needs: ['faketime'],
  runs: { full: 8, short: 0, seconds: 5 },
  seenToFail: 'both dispatchers two hours ahead: the alert is over before it begins',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('standard');
  const name = `${random.pick(['ingest', 'dispatcher', 'edge'])}-${random.pick(['a', 'b'])}`;
  const offset = stage.sabotage ? '+2h' : random.pick(['+2h', '-2h']);
  const wrong = stage.sabotage ? ['dispatcher-a', 'dispatcher-b'] : [name];
  try {
    for (const each of wrong)
      await system.replace(
        each,
        withEnv({
          LD_PRELOAD: faketimeLibrary() ?? '',
          FAKETIME: offset,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          FAKETIME_DONT_RESET: '1',
        }),
      );
    await system.start(...wrong);
    const draft = await draftAlert({ expiresInMs: VALID_MS });
    const alert = await raise(system, { draft, first: name.endsWith('a') ? 'a' : 'b' });
    const played = await judge(system, [alert], {}, stage.sabotage ? 8_000 : WITHIN_MS);
    return { ...played, broken: played.broken.map((each) => `${name} ${offset}: ${each}`) };
  } finally {
    for (const each of wrong) await system.replace(each, withEnv({ LD_PRELOAD: '', FAKETIME: '' }));
    await system.start(...wrong);
    await stage.healthy();
  }
}
