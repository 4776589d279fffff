import { type Breakage, noPath, page, through, ticket } from '../breakage.ts';
import type { WireName } from '../system/wires.ts';

/** The connection goes silent and stays open: a receiver that sits there and hears nothing. */
const deaf = (
  breakage: Pick<Breakage, 'name' | 'title' | 'breaks' | 'expected'>,
  isMeant: (wire: WireName) => boolean,
): Breakage => ({
  ...breakage,
  group: 'receiver',
  begin: async ({ wires }) => wires.set(isMeant, { halfOpen: true }),
  heal: async ({ wires }) => {
    // What was sent meanwhile is late news: the receiver connects anew, as one that was switched off and on.
    wires.set(isMeant, { cut: true });
    wires.set(isMeant, {});
  },
});

export const DEAF_RECEIVERS: readonly Breakage[] = [
  deaf(
    {
      name: 'deaf-autopush',
      title: 'Web Push receivers of both canaries hear nothing (connections silent)',
      breaks: through({ transport: 'web-push' }),
      expected: page('TransportUnproved'),
    },
    ({ to }) => to === 'AUTOPUSH_URL',
  ),
  deaf(
    {
      name: 'deaf-fcm-probe',
      title: 'FCM receivers of both canaries hear nothing (connections silent)',
      breaks: through({ transport: 'fcm' }),
      expected: page('TransportUnproved'),
    },
    ({ to }) => to === 'FCM_MCS_SERVER' || to === 'FCM_PROBE_URL',
  ),
  {
    name: 'deaf-unified-push',
    group: 'receiver',
    title:
      'UnifiedPush receivers of both canaries hear nothing (their push service takes all and delivers nothing)',
    // They prove no path: their push service is one of many for Web Push.
    breaks: noPath,
    expected: page('ReceiverSilent'),
    begin: (system) => system.providers({ unifiedPush: { blackHole: true } }),
    heal: (system) => system.providers({}),
  },
  deaf(
    {
      name: 'deaf-autopush-of-a',
      title: 'Web Push receiver of canary a hears nothing; that of b does',
      breaks: (path, canary) => canary === 'a' && path.transport === 'web-push',
      // A path is unproved at one canary after 150 s, and two minutes of that are asked for.
      expected: ticket(360, 'CanariesDisagree', 'ReceiverSilent', 'ProofBudgetBurnsFast'),
    },
    ({ from, to }) => from === 'canary-a' && to === 'AUTOPUSH_URL',
  ),
];
