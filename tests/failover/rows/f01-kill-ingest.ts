import { setTimeout as delay } from 'node:timers/promises';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import {
  type Acknowledged,
  type AlertDraft,
  draftAlert,
  everybodyHasIt,
  post,
  prefectureKey,
  raise,
  untilDevices,
} from '../harness/alerts.ts';
import { type FaultSystem, withEnv } from '../harness/fault-system.ts';
import { startLiars } from '../harness/liars.ts';
import type { Random } from '../harness/random.ts';
import { figuresOf, judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';
import { CRASH_POINTS, killAt } from './f01-crash-points.ts';
import { linked } from './f13-partition.ts';

/** An ingest answers within this on a quiet machine: before, during and after the journal's write all lie in it. */
const INSTANTS_MS = 250;
/** Runs at random instants come first; then each crash point in turn. */
const AT_RANDOM = 20;

export const killIngest: Row = {
  id: 'F1',
  title: `kill -9 of an ingest while it takes an alert, at random instants and at points that are seen on the wire`,
  promise:
    'what was answered 202 reaches everybody; what was not reaches everybody once or nobody twice',
  // Each crash point three times.
  runs: { full: AT_RANDOM + 3 * CRASH_POINTS.length, short: 3, seconds: 3 },
  // With dispatchers that answer "stored" and store nothing, and no bus, the 202 is worth nothing.
  seenToFail: 'ingest with no bus and with dispatchers that say "stored" and store nothing',
  play,
};

interface Struck {
  readonly system: FaultSystem;
  /** What the author was told before the ingest died. */
  readonly answered: Acknowledged | undefined;
  /** When its author asked. */
  readonly sinceMs: number;
  readonly point: string;
}

async function play(stage: Stage, random: Random, run: number): Promise<Played> {
  const draft = await draftAlert();
  const point = stage.sabotage ? undefined : CRASH_POINTS[(run - AT_RANDOM) % CRASH_POINTS.length];
  const struck =
    run < AT_RANDOM || point === undefined
      ? await killAtRandom(stage, draft, random)
      : await killAtPoint(stage, draft, { point, random });
  const { system, answered, sinceMs } = struck;
  const acknowledged: Acknowledged[] = answered ? [answered] : [];
  if (!answered && random.next() < 0.5)
    acknowledged.push({ ...(await raise(system, { draft, first: 'b' })), sinceMs });
  await system.start('ingest-a');
  const played = await judge(system, acknowledged, {
    case: `${struck.point}, ${answered ? 'answered 202' : 'no answer'}`,
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

async function killAtRandom(stage: Stage, draft: AlertDraft, random: Random): Promise<Struck> {
  const system = stage.sabotage
    ? await stage.system('lying intakes', async () => {
        const liars = await startLiars();
        const lies = { DISPATCHERS: JSON.stringify(liars.peers), NATS_SITES: '[]', EDGES: '[]' };
        const adjust = withEnv(lies, ({ kind }) => kind === 'ingest');
        return { adjust, services: ['dispatcher', 'ingest', 'edge'], cleanUp: liars.close };
      })
    : await stage.system('standard');
  const sinceMs = Date.now();
  const answering = post(urlOf(system, 'ingest-a'), draft, prefectureKey(system));
  await delay(random.next() * INSTANTS_MS);
  await system.kill('ingest-a');
  const { accepted } = await answering;
  const answered = accepted && { id: draft.id, sinceMs, answer: accepted };
  return { system, answered, sinceMs, point: 'at a random instant' };
}

async function killAtPoint(
  stage: Stage,
  draft: AlertDraft,
  { point, random }: { point: (typeof CRASH_POINTS)[number]; random: Random },
): Promise<Struck> {
  const { system, links } = await linked(stage);
  const sinceMs = Date.now();
  const answered = await killAt(point, { system, links }, draft, random);
  return { system, answered, sinceMs, point };
}
