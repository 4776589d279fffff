import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import {
  type Acknowledged,
  draftAlert,
  everybodyHasIt,
  post,
  prefectureKey,
  raise,
  untilDevices,
} from '../harness/alerts.ts';
import { withEnv } from '../harness/fault-system.ts';
import { startLiars } from '../harness/liars.ts';
import type { Random } from '../harness/random.ts';
import { figuresOf, judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

/** An ingest answers within this on a quiet machine: before, during and after the journal's write all lie in it. */
const INSTANTS_MS = 250;

export const killIngest: Row = {
  id: 'F1',
  title: 'kill -9 of an ingest while it takes an alert',
  promise:
    'what was answered 202 reaches everybody; what was not reaches everybody once or nobody twice',
  runs: { full: 20, short: 3 },
  canSabotage: true,
  // With dispatchers that answer "stored" and store nothing, and no bus, the 202 is worth nothing.
  seenToFail: 'ingest with no bus and with dispatchers that say "stored" and store nothing',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = stage.sabotage
    ? await stage.system('lying intakes', async () => {
        const liars = await startLiars();
        const lies = { DISPATCHERS: JSON.stringify(liars.peers), NATS_SITES: '[]', EDGES: '[]' };
        const adjust = withEnv(lies, ({ kind }) => kind === 'ingest');
        return { adjust, services: ['dispatcher', 'ingest', 'edge'], cleanUp: liars.close };
      })
    : await stage.system('standard');
  const draft = await draftAlert();
  const acknowledged: Acknowledged[] = [];
  const sinceMs = Date.now();
  const answering = post(urlOf(system, 'ingest-a'), draft, prefectureKey(system));
  await delay(random.next() * INSTANTS_MS);
  await system.kill('ingest-a');
  const { accepted } = await answering;
  const repeats = random.next() < 0.5;
  if (accepted) acknowledged.push({ id: draft.id, sinceMs, answer: accepted });
  else if (repeats) acknowledged.push({ ...(await raise(system, { draft, first: 'b' })), sinceMs });
  await system.start('ingest-a');
  const played = await judge(system, acknowledged, {
    figures: { 'answered 202 before the kill': accepted ? 1 : 0 },
  });
  if (acknowledged.length > 0) return played;
  // Nobody was promised anything: it may have come to everybody, but to nobody twice.
  const report = await untilDevices(system, draft.id, everybodyHasIt, 1_500);
  const { shownTwice, outside } = figuresOf(report, sinceMs);
  return {
    ...played,
    broken:
      shownTwice + outside > 0 ? ['an alert without an answer was shown twice or outside'] : [],
  };
}
