import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import type { Layout } from '../../../deploy/local/layout.ts';
import { setFaults } from '../../support/whole-system.ts';
import {
  type Acknowledged,
  devicesReport,
  draftAlert,
  raise,
  readApiKeys,
} from '../harness/alerts.ts';
import { type FaultSystem, withEnv } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const SENDERS = 52;
/** Fast enough for a test, slow enough that alerts have to wait for each other. */
const PACE = 100;
/** What is under way when it ends waits no longer than a send may take. */
const HELD_BACK = { fcm: { messagesPerSecond: 50 }, webPush: { messagesPerSecond: 10 } };
/** Few sends under way at a time: what waits, waits in the dispatchers, where the severity decides. */
const NARROW = { WEB_PUSH_SESSIONS: '1', WEB_PUSH_IN_FLIGHT: '10', FCM_SESSIONS: '1' };
/** Of the time until the last Minor device, the last Extreme one may take this share. About a half is usual; equal weights give 1. */
const MAX_SHARE = 0.8;
const SEVERITIES = ['Extreme', 'Severe', 'Moderate', 'Minor'] as const;

export const allSenders: Row = {
  id: 'F27',
  title: `${SENDERS} senders at once, one or two alerts each, of four severities`,
  promise: `none is dropped, everybody gets all of them, and the last device of the Extreme ones has them in at most ${MAX_SHARE} of the time until the last one of the Minor ones`,
  runs: { full: 2, short: 0, seconds: 45 },
  seenToFail:
    'all of them sent as Minor, so that all weigh the same: those that should have gone first do not',
  play,
};

/** Until every dispatcher has taken all of these. */
async function untilKnown(system: FaultSystem, alerts: readonly Acknowledged[]): Promise<void> {
  for (const { id } of alerts)
    for (const site of system.sites)
      await until(
        `dispatcher ${site} knows an alert`,
        { timeoutMs: 60_000, everyMs: 100 },
        async () => {
          const answer = await fetch(
            `${urlOf(system, `dispatcher-${site}`)}/v1/alerts/${id}/progress`,
            {
              headers: { authorization: `Bearer ${system.internalToken}` },
            },
          );
          await answer.body?.cancel();
          return answer.ok ? true : undefined;
        },
      );
}

const keys = new Map<string, string>();
const senderOf = (number: number) => `dept${String(number).padStart(2, '0')}@alerte.example`;

function addSenders({ stateDir }: Layout): void {
  const { path, keys: before } = readApiKeys(stateDir);
  const added = Array.from({ length: SENDERS }, (_, number) => {
    const clear = `tocsin_${randomBytes(32).toString('base64url')}`;
    keys.set(senderOf(number), clear);
    return {
      id: `dept${number}`,
      hash: createHash('sha256').update(clear).digest('hex'),
      sender: senderOf(number),
      territory: ['06'],
      statuses: ['Actual'],
      maxSeverity: 'Extreme',
    };
  });
  writeFileSync(path, JSON.stringify({ keys: [...before, ...added] }));
}

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = await stage.system('many senders', () => ({
    prepare: addSenders,
    adjust: withEnv(NARROW, ({ kind }) => kind === 'dispatcher'),
  }));
  // Held back until both dispatchers know all alerts: then all of them want to go out at once, and the severity decides.
  await setFaults(system, HELD_BACK);
  try {
    const wanted = Array.from({ length: SENDERS }, (_, number) => number).flatMap((number) => {
      const severity = SEVERITIES[number % SEVERITIES.length] ?? 'Minor';
      const one = { sender: senderOf(number), severity };
      return random.next() < 0.5 ? [one] : [one, one];
    });
    const raised = await Promise.all(
      random.shuffle(wanted).map(async ({ sender, severity }) => {
        const draft = await draftAlert({ sender, severity: stage.sabotage ? 'Minor' : severity });
        const token = keys.get(sender) ?? '';
        const first = random.pick(['a', 'b'] as const);
        return { severity, alert: await raise(system, { draft, token, first, withinMs: 60_000 }) };
      }),
    );
    const alerts = raised.map(({ alert }) => alert);
    await untilKnown(system, alerts);
    const beginMs = Date.now();
    await stage.pace(system, PACE);
    const played = await judge(system, alerts, {}, 120_000);
    const lasts: number[] = [];
    for (const wanted of SEVERITIES) {
      const those = raised.filter(({ severity }) => severity === wanted);
      const reports = await Promise.all(those.map(({ alert }) => devicesReport(system, alert.id)));
      const late = Number.POSITIVE_INFINITY;
      lasts.push(Math.max(...reports.map(({ inside }) => inside.lastMs ?? late)) - beginMs);
    }
    const [extreme = 0, , , minor = 0] = lasts;
    return {
      ...played,
      broken: [
        ...played.broken,
        ...(extreme <= minor * MAX_SHARE
          ? []
          : [`the last Extreme device after ${extreme} ms, the last Minor one after ${minor} ms`]),
      ],
      figures: Object.fromEntries(
        SEVERITIES.map((each, i) => [`seconds to the last ${each} device`, (lasts[i] ?? 0) / 1000]),
      ),
    };
  } finally {
    await stage.pace(system, 0);
    await stage.healthy();
  }
}
