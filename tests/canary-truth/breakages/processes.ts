import { type Breakage, everyPath, noPath, page, through } from '../breakage.ts';

interface Killed {
  readonly name: string;
  readonly title: string;
  readonly processes: readonly string[];
  readonly breaks: Breakage['breaks'];
  readonly blind?: readonly string[];
  readonly expected: Breakage['expected'];
}

const kill = ({ processes, name, ...rest }: Killed): Breakage => ({
  ...rest,
  name: `kill-${name}`,
  group: 'process',
  begin: ({ faults }) => faults.kill(...processes),
  heal: (system) => system.start(...processes),
});

/** A process that is stopped keeps its connections and its ports: everybody who asks it waits. */
const freeze = ({ processes, name, ...rest }: Killed): Breakage => ({
  ...rest,
  name: `freeze-${name}`,
  group: 'frozen process',
  begin: async ({ faults }) => faults.signal('SIGSTOP', ...processes),
  heal: async ({ faults }) => faults.signal('SIGCONT', ...processes),
});

const BOTH = ['a', 'b'];

export const KILLED: readonly Breakage[] = [
  kill({
    name: 'ingest',
    title: 'ingest a killed (kill -9)',
    processes: ['ingest-a'],
    breaks: through({ ingest: 'a' }),
    expected: page('ProcessAtFault', 'IngestUnproved'),
  }),
  kill({
    name: 'dispatcher',
    title: 'dispatcher a killed (kill -9)',
    processes: ['dispatcher-a'],
    breaks: through({ dispatcher: 'a' }),
    expected: page('ProcessAtFault', 'DispatcherUnproved'),
  }),
  kill({
    name: 'edge',
    title: 'edge a killed (kill -9)',
    processes: ['edge-a'],
    breaks: noPath,
    expected: page('ProcessAtFault'),
  }),
  kill({
    name: 'canary',
    title: 'canary a killed (kill -9)',
    processes: ['canary-a'],
    breaks: noPath,
    blind: ['a'],
    expected: page('CanarySilent'),
  }),
  kill({
    name: 'both-canaries',
    title: 'both canaries killed (kill -9)',
    processes: ['canary-a', 'canary-b'],
    breaks: everyPath,
    blind: BOTH,
    expected: page('NoProof'),
  }),
  kill({
    name: 'bus',
    title: 'NATS of site a killed (kill -9)',
    processes: ['nats-a'],
    breaks: noPath,
    expected: page('BusRefused', 'BusUnhealthy'),
  }),
  kill({
    name: 'both-buses',
    title: 'NATS of both sites killed (kill -9)',
    processes: ['nats-a', 'nats-b'],
    breaks: through({ lane: 'bus' }),
    expected: page('LaneUnproved', 'BusRefused'),
  }),
  kill({
    name: 'providers',
    title: 'both push providers gone (their stand-in killed)',
    processes: ['sandbox'],
    breaks: everyPath,
    blind: BOTH,
    expected: page('NoProof'),
  }),
  kill({
    name: 'both-ingests',
    title: 'both ingests killed (kill -9)',
    processes: ['ingest-a', 'ingest-b'],
    breaks: everyPath,
    blind: BOTH,
    expected: page('NoProof'),
  }),
  kill({
    name: 'both-dispatchers',
    title: 'both dispatchers killed (kill -9)',
    processes: ['dispatcher-a', 'dispatcher-b'],
    breaks: everyPath,
    blind: BOTH,
    expected: page('NoProof'),
  }),
];

export const FROZEN: readonly Breakage[] = [
  freeze({
    name: 'ingest',
    title: 'ingest a frozen (SIGSTOP)',
    processes: ['ingest-a'],
    breaks: through({ ingest: 'a' }),
    expected: page('ProcessAtFault', 'IngestUnproved'),
  }),
  freeze({
    name: 'dispatcher',
    title: 'dispatcher a frozen (SIGSTOP)',
    processes: ['dispatcher-a'],
    breaks: through({ dispatcher: 'a' }),
    expected: page('ProcessAtFault', 'DispatcherUnproved'),
  }),
  freeze({
    name: 'canary',
    title: 'canary a frozen (SIGSTOP)',
    processes: ['canary-a'],
    breaks: noPath,
    blind: ['a'],
    expected: page('CanarySilent'),
  }),
  freeze({
    name: 'bus',
    title: 'NATS of site a frozen (SIGSTOP)',
    processes: ['nats-a'],
    breaks: noPath,
    expected: page('BusRefused', 'BusUnhealthy'),
  }),
];
