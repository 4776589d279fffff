import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { TRANSPORTS } from '../../shared/envelope/envelope.ts';
import { createRandom, type Random } from './prng.ts';

/** Virtual time begins here; instants in a scenario are counted from it. */
export const EPOCH_MS = Date.UTC(2026, 6, 14, 20);
/** No clock is further off than this. */
export const MAX_OFFSET_MS = 2_000;
/** All faults are over by then, except those that are meant to stay (a dead node, a provider that swallows). */
export const HEAL_AT_MS = 60_000;
/** Within this time after the faults everybody must have been reached and every run have ended. */
export const QUIET_MS = 900_000;

/**
 * Where no provider swallows, everybody is reached within this time after the faults: the longest wait between two tries
 * (60 s) and a margin. It is shorter than a proof's life, so that what a dead node held is taken over, not waited for.
 */
export const PROMPT_MS = 90_000;

export interface DeviceSpec {
  readonly id: string;
  readonly transport: TransportKind;
  readonly area: number;
  readonly probe: boolean;
  readonly offsetMs: number;
  /** From then on its provider says that it is gone. */
  readonly goneAtMs: number | undefined;
}

export interface AlertSpec {
  readonly id: string;
  readonly atMs: number;
  /** Who is given it, and into how many shards each cuts its audience. */
  readonly given: readonly { readonly ingest: string; readonly shards: number }[];
  readonly areas: readonly number[];
  readonly expiresAtMs: number;
  readonly msgType: 'Alert' | 'Update' | 'Cancel';
  readonly references: readonly string[];
  readonly severity: 'Extreme' | 'Severe' | 'Moderate';
}

interface Span {
  readonly atMs: number;
  readonly untilMs: number;
}
export type ProviderMode = 'down' | 'throttle' | 'slow' | 'flaky' | 'refused';

export type Fault =
  /** `afterActs`: not at once, but in the middle of what the node does then: after so many writes and sends. */
  | (Span & {
      readonly kind: 'crash';
      readonly node: string;
      readonly afterActs: number;
      readonly losesDisk: boolean;
    })
  | { readonly kind: 'die'; readonly node: string; readonly atMs: number }
  | (Span & { readonly kind: 'freeze'; readonly node: string })
  | (Span & {
      readonly kind: 'partition';
      readonly from: readonly string[];
      readonly to: readonly string[];
      readonly oneWay: boolean;
    })
  | (Span & { readonly kind: 'bus-down'; readonly site: string; readonly losesDisk: boolean })
  | (Span & {
      readonly kind: 'provider';
      /** From these it is hard to reach: from one, or (its own fault) from all. */
      readonly nodes: readonly string[];
      readonly transport: TransportKind;
      readonly mode: ProviderMode;
    })
  /** From then on the provider accepts and drops what comes by this route, and never tells. */
  | {
      readonly kind: 'black-hole';
      readonly node: string;
      readonly transport: TransportKind;
      readonly atMs: number;
    }
  /** The node starts anew; its replica could not be read, is filled again, and lacks people until it is whole. */
  | (Span & { readonly kind: 'partial-replica'; readonly node: string })
  | (Span & { readonly kind: 'ingest-crash'; readonly ingest: string })
  | (Span & { readonly kind: 'canary-silent' });

export interface NodeSpec {
  readonly name: string;
  readonly site: string;
  readonly offsetMs: number;
}

/** One night: who is there, what is raised, what goes wrong. Plain data, so that it can be printed and made smaller. */
export interface Scenario {
  readonly seed: number;
  readonly sites: readonly { readonly name: string; readonly offsetMs: number }[];
  readonly nodes: readonly NodeSpec[];
  readonly ingests: readonly { readonly name: string; readonly site: string }[];
  readonly devices: readonly DeviceSpec[];
  readonly alerts: readonly AlertSpec[];
  readonly faults: readonly Fault[];
  /** Chances per message: lost, late, said twice. */
  readonly net: { readonly lost: number; readonly late: number; readonly repeated: number };
  /** A provider that is well answers within this time. */
  readonly providerMs: number;
  /** Where so little goes wrong that more is promised: everybody is reached by then. */
  readonly reachedByMs?: number;
}

const AREAS = 3;

export function createScenario(seed: number): Scenario {
  const scenario = mixedScenario(seed);
  if (seed % 16 === 6) return withTwoCuts(scenario, createRandom(~seed));
  return seed % 16 === 11 ? withRefused(scenario, createRandom(~seed)) : scenario;
}

function mixedScenario(seed: number): Scenario {
  const random = createRandom(seed);
  const offset = () => random.between(-MAX_OFFSET_MS, MAX_OFFSET_MS);
  const siteNames = ['a', 'b', 'c'].slice(0, random.between(2, 3));
  const sites = siteNames.map((name) => ({ name, offsetMs: offset() }));
  const nodes = Array.from({ length: random.between(2, 4) }, (_, i) => ({
    name: `node-${i + 1}`,
    site: siteNames[i % siteNames.length] ?? 'a',
    offsetMs: offset(),
  }));
  const ingests = siteNames
    .slice(0, random.between(1, 2))
    .map((site) => ({ name: `ingest-${site}`, site }));
  const ingestNames = ingests.map(({ name }) => name);
  const raised = alerts(random, ingestNames);
  const cast = {
    sites: siteNames,
    nodes: nodes.map(({ name }) => name),
    ingests: ingestNames,
    raisedAtMs: raised.map(({ atMs }) => atMs),
  };
  return {
    seed,
    sites,
    nodes,
    ingests,
    devices: devices(random, offset),
    alerts: raised,
    faults: faults(random, cast),
    providerMs: random.pick([120, 120, 1_000, 5_000]),
    net: random.pick([
      { lost: 0, late: 0, repeated: 0 },
      { lost: 0.02, late: 0.05, repeated: 0.05 },
      { lost: 0.15, late: 0.15, repeated: 0.1 },
    ]),
  };
}

/**
 * What chance seldom brings together, in every sixteenth night: two dispatchers know an alert by two cuts, one of them
 * comes late, and the other dies in the middle of it.
 */
function withTwoCuts(from: Scenario, random: Random): Scenario {
  const [fine, coarse] = from.ingests;
  const [dying, late] = from.nodes;
  const alert = from.alerts.find(({ expiresAtMs }) => expiresAtMs > QUIET_MS);
  if (!fine || !coarse || !dying || !late || !alert) return from;
  const power = random.between(2, 4);
  const given = [
    { ingest: fine.name, shards: 2 ** power },
    { ingest: coarse.name, shards: 2 ** random.between(1, power) },
  ];
  const { atMs } = alert;
  const diesAtMs = atMs + random.between(200, 4_000);
  const buses = from.sites.map(({ name }) => `bus-${name}`);
  const cut = { kind: 'partition' as const, oneWay: true, atMs: 0, untilMs: diesAtMs + 3_000 };
  return {
    ...from,
    nodes: [dying, late],
    alerts: [{ ...alert, given }],
    faults: [
      { kind: 'freeze', node: late.name, atMs: Math.max(0, atMs - 500), untilMs: diesAtMs + 1_000 },
      { ...cut, from: [fine.name, ...buses], to: [late.name] },
      { ...cut, from: [coarse.name, ...buses], to: [dying.name] },
      { kind: 'die', node: dying.name, atMs: diesAtMs },
    ],
    providerMs: 5_000,
  };
}

/** From the raising of an alert, where one node's provider refuses all that it sends. */
const REFUSED_REACHED_MS = 30_000;

/**
 * In every sixteenth night nothing is wrong but that the providers refuse all that one node sends: its clock is hours
 * off, its credentials were revoked. It is alive and its routes were proved a moment ago.
 */
function withRefused(from: Scenario, random: Random): Scenario {
  const alert = from.alerts.find(({ expiresAtMs }) => expiresAtMs > QUIET_MS);
  const node = random.pick(from.nodes).name;
  if (!alert) return from;
  const span = { atMs: 0, untilMs: HEAL_AT_MS };
  const atMs = Math.min(alert.atMs, HEAL_AT_MS - REFUSED_REACHED_MS - 5_000);
  return {
    ...from,
    alerts: [{ ...alert, atMs }],
    faults: TRANSPORTS.map((transport) => ({
      kind: 'provider' as const,
      nodes: [node],
      transport,
      mode: 'refused' as const,
      ...span,
    })),
    net: { lost: 0, late: 0, repeated: 0 },
    providerMs: 120,
    reachedByMs: atMs + REFUSED_REACHED_MS,
  };
}

function devices(random: Random, offset: () => number): DeviceSpec[] {
  const people = Array.from({ length: random.between(4, 32) }, (_, i) => ({
    id: `device-${i}-${random.below(1e6)}`,
    transport: random.pick(TRANSPORTS),
    area: random.below(AREAS),
    probe: false,
    offsetMs: offset(),
    goneAtMs: random.chance(0.08) ? random.below(HEAL_AT_MS) : undefined,
  }));
  const probes = TRANSPORTS.map((transport) => ({
    id: `probe-${transport}`,
    transport,
    area: 0,
    probe: true,
    offsetMs: offset(),
    goneAtMs: undefined,
  }));
  return [...people, ...probes];
}

/** One to four alerts, some with an Update or a Cancel soon after, some that are over soon. */
function alerts(random: Random, ingests: readonly string[]): AlertSpec[] {
  const all: AlertSpec[] = [];
  const count = random.between(1, 4);
  for (let i = 1; i <= count; i++) {
    const atMs = random.between(1_000, 40_000);
    const lifeMs = random.chance(0.25) ? random.between(4_000, 40_000) : 7_200_000;
    const severity = random.pick(['Extreme', 'Severe', 'Moderate'] as const);
    const areas = [...new Set([random.below(AREAS), random.below(AREAS)])];
    const given = () =>
      (random.chance(0.3) ? ingests : [random.pick(ingests)]).map((ingest) => ({
        ingest,
        shards: 2 ** random.between(0, 4),
      }));
    const expiresAtMs = atMs + lifeMs;
    const about = { areas, expiresAtMs, severity };
    const first = { ...about, id: `alert-${i}`, atMs, given: given() };
    all.push({ ...first, msgType: 'Alert', references: [] });
    if (!random.chance(0.45)) continue;
    const msgType = random.pick(['Update', 'Cancel'] as const);
    const followsAtMs = atMs + random.between(0, 15_000);
    const second = { ...about, id: `alert-${i}-${msgType.toLowerCase()}`, atMs: followsAtMs };
    all.push({ ...second, given: given(), msgType, references: [first.id] });
    if (msgType === 'Cancel' || !random.chance(0.4)) continue;
    const third = { ...about, id: `${second.id}-cancel`, atMs: followsAtMs + random.below(10_000) };
    const references = [first.id, second.id];
    all.push({ ...third, given: given(), msgType: 'Cancel', references });
  }
  return all;
}

interface Cast {
  readonly sites: readonly string[];
  readonly nodes: readonly string[];
  readonly ingests: readonly string[];
  readonly raisedAtMs: readonly number[];
}

function faults(random: Random, cast: Cast): Fault[] {
  const count = random.between(0, 12);
  const survivor = random.pick(cast.nodes);
  const unluckySite = random.pick(cast.sites);
  return Array.from({ length: count }, () => oneFault(random, cast, { survivor, unluckySite }));
}

/** Most faults strike while something is being sent: that is where they hurt. */
function faultAtMs(random: Random, raisedAtMs: readonly number[]): number {
  if (random.chance(0.3)) return random.below(HEAL_AT_MS - 5_000);
  const near = random.pick(raisedAtMs) + random.pick([-2_000, 0, 0, 2_000]);
  return Math.min(HEAL_AT_MS - 5_000, Math.max(0, near + random.below(random.pick([200, 3_000]))));
}

/**
 * The survivor's provider never swallows and the survivor never dies for good, and only one site loses disks: what is
 * promised is promised for that.
 */
function oneFault(
  random: Random,
  { sites, nodes, ingests, raisedAtMs }: Cast,
  { survivor, unluckySite }: { survivor: string; unluckySite: string },
): Fault {
  const atMs = faultAtMs(random, raisedAtMs);
  const untilMs = Math.min(HEAL_AT_MS, atMs + random.pick([300, 3_000, 12_000, 40_000]));
  const span = { atMs, untilMs };
  const node = random.pick(nodes);
  const other = random.pick(nodes.filter((name) => name !== survivor));
  const transport = random.pick(TRANSPORTS);
  const site = random.pick(sites);
  const siteOf = (name: string) => sites[nodes.indexOf(name) % sites.length];
  switch (random.below(14)) {
    case 0:
    case 1:
    case 2: {
      const losesDisk = random.chance(0.2) && siteOf(node) === unluckySite;
      return { kind: 'crash', node, ...span, afterActs: random.below(25), losesDisk };
    }
    case 3:
      return { kind: 'die', node: other, atMs };
    case 4:
      return { kind: 'freeze', node, ...span };
    case 5:
    case 6: {
      const everybody = [...nodes, ...ingests, ...sites.map((name) => `bus-${name}`), 'canary'];
      const from = everybody.filter(() => random.chance(0.4));
      const to = everybody.filter((name) => !from.includes(name));
      return { kind: 'partition', from, to, oneWay: random.chance(0.5), ...span };
    }
    case 7:
      return { kind: 'bus-down', site, losesDisk: site === unluckySite, ...span };
    case 8:
    case 9:
      return {
        kind: 'provider',
        nodes: random.chance(0.5) ? nodes : [node],
        transport,
        mode: random.pick(['down', 'throttle', 'slow', 'flaky']),
        ...span,
      };
    case 10:
      return { kind: 'black-hole', node: other, transport, atMs };
    case 11:
      return { kind: 'partial-replica', node, ...span };
    case 12:
      return { kind: 'ingest-crash', ingest: random.pick(ingests), ...span };
    default:
      return { kind: 'canary-silent', ...span };
  }
}
