import { z } from 'zod';
import { ALERT_AREA } from '../../../deploy/demo/crowd.ts';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { AudienceAnswer } from '../../../shared/receipt/progress.ts';
import { raise } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import {
  heal,
  percentOf,
  progressOf,
  quietTimes,
  UNTOUCHED,
  untouched,
} from '../harness/provider-fault.ts';
import { providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const STRUCK = ['fcm', 'web-push'] as const;
const ANSWERED_WITHIN_MS = 30_000;
const QUARANTINED_WITHIN_MS = 10_000;
/** Few enough that they are believed: the guard's limit is a fifth of a batch. */
const BELIEVED_SHARE = 0.1;

export const goneStorm: Row = {
  id: 'F20',
  title: 'a provider calls every device gone (410, UNREGISTERED), wrongly; then it is right again',
  promise: `nobody is removed: they are quarantined, the next alert reaches all of them; the other transport’s last device has the alert of the storm within ${UNTOUCHED} × its undisturbed time`,
  runs: { full: 6, short: 0, seconds: 8 },
  seenToFail: `a tenth called gone, which the guard believes: they are removed`,
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  const { system } = all;
  const struck = STRUCK[run % STRUCK.length] ?? 'fcm';
  try {
    await heal(all);
    const quiet = await quietTimes(system);
    const before = await audience(system);
    await all.switch({ [struck]: { goneShare: stage.sabotage ? BELIEVED_SHARE : 1 } });
    const inStorm = await raise(system);
    const broken = await untouched(system, inStorm, { struck, quiet });
    const unanswered = await withoutAnswer(system, inStorm.id, struck);
    const quarantined = await someQuarantined(system, struck);
    await heal(all);
    const next = await raise(system);
    const played = await judge(system, [next], {}, stage.sabotage ? 3_000 : undefined);
    const after = await audience(system);
    const reached = await percentOf(system, inStorm.id, struck);
    return {
      ...played,
      case: `all of ${struck}`,
      broken: [
        ...played.broken,
        ...broken,
        ...unanswered,
        ...(quarantined ? [] : ['nobody is in quarantine']),
        ...(after < before ? [`${before - after} devices were removed`] : []),
      ],
      figures: {
        'percent of the struck transport’s devices that have the alert of the storm':
          Math.round(reached),
      },
    };
  } finally {
    await heal(all);
    if (!stage.sabotage) await stage.healthy();
  }
}

/** The least that any dispatcher counts in the area. */
async function audience(system: FaultSystem): Promise<number> {
  const counts = await Promise.all(
    system.names('dispatcher').map(async (name) => {
      const answer = await fetchJson(`${urlOf(system, name)}/v1/audience?area=${ALERT_AREA}`, {
        schema: AudienceAnswer,
        timeoutMs: 5_000,
        token: system.internalToken,
      });
      return Object.values(answer.counts).reduce((sum, each) => sum + (each ?? 0), 0);
    }),
  );
  return Math.min(...counts);
}

const QuarantineCounts = z.object({
  transports: z.array(z.object({ transport: z.string(), count: z.int() })),
});

/** What a provider calls gone is gathered for two seconds before it is judged. */
async function someQuarantined(system: FaultSystem, struck: TransportKind): Promise<boolean> {
  const options = { timeoutMs: QUARANTINED_WITHIN_MS, everyMs: 100 };
  const found = async () => ((await quarantineOf(system, struck)) > 0 ? true : undefined);
  return until('somebody in quarantine', options, found).catch(() => false);
}

async function quarantineOf(system: FaultSystem, struck: TransportKind): Promise<number> {
  const counts = await Promise.all(
    system.names('dispatcher').map(async (name) => {
      const { transports } = await fetchJson(`${urlOf(system, name)}/v1/quarantine`, {
        schema: QuarantineCounts,
        timeoutMs: 5_000,
        token: system.internalToken,
      });
      return transports.find(({ transport }) => transport === struck)?.count ?? 0;
    }),
  );
  return counts.reduce((sum, each) => sum + each, 0);
}

/** Waits until both dispatchers have nobody left to try. */
async function withoutAnswer(
  system: FaultSystem,
  id: string,
  struck: TransportKind,
): Promise<string[]> {
  const options = { timeoutMs: ANSWERED_WITHIN_MS, everyMs: 100 };
  const isOver = async () => {
    const all = await Promise.all(
      system.names('dispatcher').map((name) => progressOf(system, name, id)),
    );
    const own = all.map(({ transports }) => transports[struck]);
    const closed = own.reduce((sum, each) => sum + (each?.shardsOwn ?? 0), 0);
    const [first] = own;
    return first !== undefined &&
      closed >= first.shardsTotal &&
      own.every((each) => each?.pending === 0)
      ? true
      : undefined;
  };
  return until('every message has an outcome', options, isOver).then(
    () => [],
    () => ['some messages of the storm have no outcome'],
  );
}
