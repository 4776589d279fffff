import { urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import { PathsReport } from '../../../services/canary/paths-report.ts';
import type { CanaryPath, TransportKind } from '../../../shared/envelope/envelope.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { everybodyHasIt, raise, untilDevices } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import {
  heal,
  otherOf,
  percentOf,
  playProviderFault,
  quietTimes,
  UNTOUCHED,
  untouched,
} from '../harness/provider-fault.ts';
import { providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

/** Canaries send every 8 s here and give a message 6 s: seen within two and a half periods and a margin. */
const SEEN_WITHIN_MS = 25_000;
/** A proof holds for 150 s; then the peer no longer believes what the node says, and sends itself. */
const PEER_WITHIN_MS = 200_000;
const PEER_RUN = 2;
const STRUCK = ['fcm', 'web-push'] as const;

export const blackHole: Row = {
  id: 'F19',
  title:
    'a provider that accepts and delivers nothing: to all who send there, or to one of the two dispatchers alone',
  promise: `every canary sees it within ${SEEN_WITHIN_MS / 1000} s (it asks every 8 s here) and doubts no other path; the other transport’s last device has the alert within ${UNTOUCHED} × its undisturbed time; what one dispatcher alone had swallowed, the other sends again; when it is over the next alert reaches everybody`,
  runs: { full: PEER_RUN + 1, short: 0, seconds: 75 },
  seenToFail: 'the canaries killed: 201 is all that anybody sees',
  play: (stage, _random: Random, run) =>
    run % (PEER_RUN + 1) === PEER_RUN && !stage.sabotage
      ? playOneNode(stage)
      : playAll(stage, STRUCK[run % STRUCK.length] ?? 'fcm'),
};

async function playAll(stage: Stage, struck: TransportKind): Promise<Played> {
  const all = await providers(stage);
  const { system } = all;
  try {
    await heal(all);
    const quiet = await quietTimes(system);
    if (stage.sabotage) await system.kill(...system.names('canary'));
    await all.switch({ [struck]: { blackHole: true } });
    const sinceMs = Date.now();
    const alert = await raise(system);
    const broken = await untouched(system, alert, { struck, quiet });
    const unseen = await unseenBy(system, ({ transport }) => transport === struck);
    const seenMs = Date.now() - sinceMs;
    const percent = await percentOf(system, alert.id, otherOf(struck));
    await heal(all);
    if (!stage.sabotage) await stage.healthy();
    const next = await raise(system);
    return await judge(system, [next], {
      case: `all of ${struck} is swallowed`,
      broken: [
        ...broken,
        ...unseen,
        percent < 100 && `${percent} % of ${otherOf(struck)} had it at last`,
      ],
      figures: { 'seconds until every canary saw it': Math.round(seenMs / 100) / 10 },
    });
  } finally {
    await heal(all);
  }
}

/** FCM swallows what dispatcher a sends; the canaries know, and so dispatcher b knows what a's word is worth. */
async function playOneNode(stage: Stage): Promise<Played> {
  const all = await providers(stage);
  const { system } = all;
  return playProviderFault(stage, all, {
    what: 'swallows what one dispatcher sends',
    struck: 'fcm',
    when: 'before',
    lastsMs: 0,
    withinMs: 5_000,
    begin: () => all.switch({ fcm: { blackHoleNode: 'a' } }),
    meanwhile: async ({ id }) => {
      const unseen = await unseenBy(
        system,
        ({ transport, dispatcher }) => transport === 'fcm' && dispatcher === 'a',
      );
      // The hole is still there: it is dispatcher b that goes through what a had.
      const { inside } = await untilDevices(system, id, everybodyHasIt, PEER_WITHIN_MS);
      return [
        ...unseen,
        ...(inside.received < inside.devices
          ? [
              `${inside.devices - inside.received} devices had it not from the other dispatcher either`,
            ]
          : []),
      ];
    },
  });
}

/** Waits until every canary doubts these paths, all of them and no others; says who does not. */
async function unseenBy(
  system: FaultSystem,
  isStruck: (path: CanaryPath) => boolean,
): Promise<string[]> {
  const canaries = system.names('canary');
  const wrong = async (name: string): Promise<string | undefined> => {
    const url = `${urlOf(system, name)}/v1/paths`;
    const report = await fetchJson(url, { schema: PathsReport, timeoutMs: 2_000 }).catch(
      () => undefined,
    );
    if (report === undefined) return `${name} says nothing`;
    const misjudged = report.paths.filter(
      ({ path, state }) => (state === 'unproved') !== isStruck(path),
    );
    return misjudged.length === 0
      ? undefined
      : `${name} judges ${misjudged.map((each) => `${each.name} ${each.state}`).join(', ')}`;
  };
  let last: readonly string[] = [];
  const options = { timeoutMs: SEEN_WITHIN_MS, everyMs: 200 };
  await until('every canary sees it', options, async () => {
    last = (await Promise.all(canaries.map(wrong))).filter((each) => each !== undefined);
    return last.length === 0 ? true : undefined;
  }).catch(() => undefined);
  return [...last];
}
