import { type Breakage, noPath, page, through } from '../breakage.ts';
import type { ProviderSwitches } from '../system/truth-system.ts';
import type { WireName } from '../system/wires.ts';

const lie = (
  breakage: Pick<Breakage, 'name' | 'title' | 'breaks' | 'expected'>,
  faults: ProviderSwitches,
): Breakage => ({
  ...breakage,
  group: 'provider',
  begin: (system) => system.providers(faults),
  heal: (system) => system.providers({}),
});

const fcm = through({ transport: 'fcm' });
const webPush = through({ transport: 'web-push' });
/** Beyond the canary's limit of 10 s, and the dispatchers' for one request. */
const SLOW_MS = 12_000;

const toAutopush = ({ to }: WireName) => to === 'AUTOPUSH_URL';

export const PROVIDER_LIES: readonly Breakage[] = [
  lie(
    {
      name: 'fcm-drops',
      title: 'FCM answers 200 to everything and delivers nothing',
      breaks: fcm,
      expected: page('TransportUnproved'),
    },
    { fcm: { blackHole: true } },
  ),
  lie(
    {
      name: 'web-push-drops',
      title: 'the push service answers 201 to everything and delivers nothing',
      breaks: webPush,
      expected: page('TransportUnproved'),
    },
    { webPush: { blackHole: true } },
  ),
  lie(
    {
      name: 'fcm-drops-of-b',
      title: 'FCM answers 200 and drops what dispatcher b sends, nothing else',
      breaks: through({ transport: 'fcm', dispatcher: 'b' }),
      expected: page('RouteUnproved'),
    },
    { fcm: { blackHoleNode: 'b' } },
  ),
  lie(
    {
      name: 'fcm-503',
      title: 'FCM answers 503 to everything',
      breaks: fcm,
      expected: page('TransportUnproved', 'ProviderRefuses'),
    },
    { fcm: { status5xxShare: 1 } },
  ),
  lie(
    {
      name: 'fcm-429',
      title: 'FCM answers 429 to everything (quota, Retry-After 60 s)',
      breaks: fcm,
      expected: page('TransportUnproved', 'ProviderRefuses'),
    },
    { fcm: { reject429Share: 1, retryAfterSeconds: 60 } },
  ),
  lie(
    {
      name: 'web-push-hangs',
      title: 'the push service takes requests and never answers',
      breaks: webPush,
      expected: page('TransportUnproved', 'ProviderRefuses'),
    },
    { webPush: { hang: true } },
  ),
  lie(
    {
      name: 'fcm-answers-late',
      title: `FCM delivers at once and answers ${SLOW_MS / 1000} s later (dispatchers wait 10 s)`,
      // Devices have it in time, so that the paths are as good as ever.
      breaks: noPath,
      // The rule asks for more than half of five minutes' sends.
      expected: { ...page('ProviderRefuses'), withinSeconds: 300 },
    },
    { fcm: { latencyMs: SLOW_MS } },
  ),
  {
    name: 'web-push-late',
    group: 'provider',
    title: `what Web Push delivers comes ${SLOW_MS / 1000} s late or later (the limit is 10 s)`,
    breaks: webPush,
    expected: page('TransportUnproved'),
    begin: async ({ wires }) => wires.set(toAutopush, { delayMs: SLOW_MS }),
    heal: async ({ wires }) => {
      wires.set(toAutopush, { cut: true });
      wires.set(toAutopush, {});
    },
  },
];
