import { playProviderFault, UNTOUCHED } from '../harness/provider-fault.ts';
import { providers } from '../harness/providers.ts';
import type { Random } from '../harness/random.ts';
import type { Played, Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const LASTS_MS = 5_000;
/** What our own credentials cause is tried again after a minute and its jitter. */
const WITHIN_MS = 100_000;
const CASES = [
  {
    what: 'service account withdrawn: no access token, 401 for the one in hand',
    struck: 'fcm',
    switches: { revoked: true },
  },
  { what: 'VAPID key refused with 403', struck: 'web-push', switches: { revoked: true } },
  { what: '403 for the project', struck: 'fcm', switches: { denyAuth: 403 } },
] as const;

export const credentials: Row = {
  id: 'F22',
  title:
    'a provider refuses our credentials: service account, access token, VAPID key; then takes them again',
  promise: `no device is taken for gone, everybody gets it once when the credentials are good again, and the other transport’s last device has it within ${UNTOUCHED} × its undisturbed time`,
  runs: { full: CASES.length, short: 0, seconds: 75 },
  seenToFail: 'the alert is over before the credentials are good again: nobody is tried again',
  play,
};

async function play(stage: Stage, _random: Random, run: number): Promise<Played> {
  const all = await providers(stage);
  const { what, struck, switches } = CASES[run % CASES.length] ?? CASES[0];
  return playProviderFault(stage, all, {
    what,
    struck,
    when: 'before',
    lastsMs: LASTS_MS,
    withinMs: WITHIN_MS,
    begin: () => all.switch({ [struck]: switches }),
  });
}
