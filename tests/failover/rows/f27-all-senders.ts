import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Layout } from '../../../deploy/local/layout.ts';
import { devicesReport, draftAlert, raise, readApiKeys } from '../harness/alerts.ts';
import { withEnv } from '../harness/fault-system.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const SENDERS = 52;
/** Fast enough for a test, slow enough that alerts have to wait for each other. */
const PACE = 100;
/** Few sends under way at a time: what waits, waits in the dispatchers, where the severity decides. */
const NARROW = { WEB_PUSH_SOCKETS: '5', FCM_SESSIONS: '1' };
const SEVERITIES = ['Extreme', 'Severe', 'Moderate', 'Minor'] as const;

export const allSenders: Row = {
  id: 'F27',
  title: `${SENDERS} senders at once, one or two alerts each, of four severities`,
  promise:
    'none is dropped, everybody gets all of them, and the last device of the Extreme ones is served before the last of the Minor ones',
  runs: { full: 2, short: 0, seconds: 35 },
  seenToFail: 'not yet: sending all as Minor leaves the order to chance',
  play,
};

const DISPATCHERS = ['dispatcher-a', 'dispatcher-b'] as const;
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
  // The dispatchers stand still until the buses have all alerts: then all of them want to go out at once.
  await stage.pace(system, PACE);
  system.signal('SIGSTOP', ...DISPATCHERS);
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
    const beginMs = Date.now();
    system.signal('SIGCONT', ...DISPATCHERS);
    const played = await judge(system, alerts, {}, 120_000);
    const lastOf = async (wantedSeverity: string) => {
      const those = raised.filter(({ severity }) => severity === wantedSeverity);
      const reports = await Promise.all(those.map(({ alert }) => devicesReport(system, alert.id)));
      return Math.max(...reports.map(({ inside }) => inside.lastMs ?? Number.POSITIVE_INFINITY));
    };
    const lasts = await Promise.all(SEVERITIES.map(async (each) => (await lastOf(each)) - beginMs));
    const [extreme = 0, , , minor = 0] = lasts;
    return {
      ...played,
      broken: [
        ...played.broken,
        ...(extreme < minor
          ? []
          : [`the last Extreme device after ${extreme} ms, the last Minor one after ${minor} ms`]),
      ],
      figures: Object.fromEntries(
        SEVERITIES.map((each, i) => [`seconds to the last ${each} device`, (lasts[i] ?? 0) / 1000]),
      ),
    };
  } finally {
    system.signal('SIGCONT', ...DISPATCHERS);
    await stage.pace(system, 0);
    await stage.healthy();
  }
}
