import { type Breakage, page, through } from '../breakage.ts';
import { siteOf, type WireName } from '../system/wires.ts';

const cut = (
  breakage: Pick<Breakage, 'name' | 'title' | 'breaks' | 'expected'>,
  isMeant: (wire: WireName) => boolean,
  how: 'reset' | 'silence',
): Breakage => ({
  ...breakage,
  group: 'network',
  begin: async ({ wires }) =>
    wires.set(isMeant, how === 'reset' ? { cut: true } : { halfOpen: true }),
  heal: async ({ wires }) => wires.set(isMeant, {}),
});

const fromIngest = ({ from }: WireName) => from.startsWith('ingest-');

export const CUT: readonly Breakage[] = [
  cut(
    {
      name: 'bus-lane',
      title: 'bus lane cut: no ingest reaches any NATS (connections reset)',
      breaks: through({ lane: 'bus' }),
      expected: page('LaneUnproved', 'BusRefused'),
    },
    (wire) => fromIngest(wire) && wire.to.startsWith('nats-'),
    'reset',
  ),
  cut(
    {
      name: 'direct-lane',
      title: 'direct lane cut: what ingests send to dispatchers vanishes (no reset)',
      breaks: through({ lane: 'direct' }),
      expected: page('LaneUnproved'),
    },
    (wire) => fromIngest(wire) && wire.to.startsWith('dispatcher-'),
    'silence',
  ),
  cut(
    {
      name: 'partition',
      title: 'partition: nothing passes between the two sites (no reset)',
      // Each canary is on one side: it reaches its own ingest, and by it its own dispatcher.
      breaks: (path, canary) => path.ingest !== canary || path.dispatcher !== canary,
      expected: page('RouteUnproved', 'OneSite'),
    },
    ({ from, to }) => /-[ab]$/.test(to) && siteOf(from) !== siteOf(to),
    'silence',
  ),
];
