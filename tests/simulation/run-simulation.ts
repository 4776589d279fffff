import { Checks } from './checks.ts';
import type { Hooks } from './hooks.ts';
import {
  EPOCH_MS,
  type Fault,
  HEAL_AT_MS,
  PROMPT_MS,
  QUIET_MS,
  type Scenario,
} from './scenario.ts';
import { SimBus } from './sim-bus.ts';
import { SimCanary } from './sim-canary.ts';
import { SimDevice } from './sim-device.ts';
import { SimIngest, submitAll } from './sim-ingest.ts';
import { SimNode } from './sim-node.ts';
import { SimProviders } from './sim-provider.ts';
import { Violation, World } from './world.ts';

export interface Failure {
  readonly invariant: string;
  readonly message: string;
  /** Virtual ms since the beginning. */
  readonly atMs: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly failure: Failure | undefined;
  readonly trace: readonly string[];
}

interface Cast {
  readonly world: World;
  readonly nodes: ReadonlyMap<string, SimNode>;
  readonly buses: ReadonlyMap<string, SimBus>;
  readonly ingests: ReadonlyMap<string, SimIngest>;
  readonly providers: SimProviders;
  readonly canary: SimCanary;
  readonly checks: Checks;
  readonly scenario: Scenario;
}

/** Plays one night from its scenario: the same scenario gives the same night, step by step. */
export function runSimulation(
  scenario: Scenario,
  options: { hooks?: Hooks; isTraced?: boolean; maxSteps?: number } = {},
): SimulationResult {
  const world = new World(scenario.seed, scenario.net, options.isTraced ?? false);
  const finish = (failure: Failure | undefined): SimulationResult => ({
    seed: scenario.seed,
    steps: world.steps,
    virtualMs: world.nowMs - EPOCH_MS,
    failure,
    trace: world.trace ?? [],
  });
  try {
    play(buildCast(scenario, world, options.hooks ?? {}), options.maxSteps ?? 2_000_000);
    return finish(undefined);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const { invariant, message } = error;
    world.note(() => `${invariant} BROKEN: ${message}`);
    return finish({ invariant, message, atMs: world.nowMs - EPOCH_MS });
  }
}

function buildCast(scenario: Scenario, world: World, hooks: Hooks): Cast {
  const checks = new Checks(world, scenario.devices);
  const providers = new SimProviders(world, checks, scenario.providerMs);
  const devices = new Map(
    scenario.devices.map((spec) => [spec.id, new SimDevice(spec, world, checks, hooks)]),
  );
  const buses = scenario.sites.map((site) => new SimBus(site, world));
  const names = scenario.nodes.map(({ name }) => name).sort();
  const nodes: SimNode[] = scenario.nodes.map((spec) => {
    const peers = () => nodes.filter(({ name }) => name !== spec.name);
    const parts = { world, checks, hooks, nodes: names, devices, providers, buses, peers };
    return new SimNode(spec, parts);
  });
  for (const bus of buses) bus.connect(nodes);
  const targets = [...buses, ...nodes];
  const canary = new SimCanary(world, nodes, buses);
  providers.onShownByProbe = (envelope) => canary.witnessed(envelope);
  return {
    world,
    nodes: byName(nodes),
    buses: new Map(buses.map((bus) => [bus.site, bus])),
    ingests: byName(
      scenario.ingests.map(({ name }) => new SimIngest(name, world, checks, targets)),
    ),
    providers,
    canary,
    checks,
    scenario,
  };
}

function byName<Item extends { name: string }>(items: readonly Item[]): Map<string, Item> {
  return new Map(items.map((item) => [item.name, item]));
}

function play(cast: Cast, maxSteps: number): void {
  const { world, nodes, checks, scenario } = cast;
  checks.expect(scenario.alerts);
  for (const node of nodes.values()) node.start();
  cast.canary.start();
  submitAll(scenario.alerts, cast.ingests, world);
  for (const fault of scenario.faults) planFault(fault, cast);
  world.at(HEAL_AT_MS, () => heal(cast));
  const isHeld = (id: string) => isHeldByTheLiving(id, cast);
  if (scenario.faults.every(({ kind }) => kind !== 'black-hole'))
    world.at(HEAL_AT_MS + PROMPT_MS, () => checks.everybodyReached(isHeld));
  if (scenario.reachedByMs !== undefined)
    world.at(scenario.reachedByMs, () => checks.everybodyReached(isHeld));
  const isQuietBy = EPOCH_MS + HEAL_AT_MS + 15_000;
  const isOverBy = EPOCH_MS + HEAL_AT_MS + QUIET_MS;
  world.run(maxSteps, () => {
    if (world.nowMs < isQuietBy) return false;
    if (world.nowMs >= isOverBy) return true;
    for (const node of nodes.values()) if (node.liveAlerts.length > 0) return false;
    return checks.isAllReached();
  });
  if (world.steps >= maxSteps) return;
  checks.nothingForgotten();
  checks.everybodyReached(isHeld);
  for (const node of nodes.values())
    if (node.liveAlerts.length > 0)
      throw new Violation('P2', `${node.name} never ends ${node.liveAlerts.join(', ')}`);
}

function isHeldByTheLiving(id: string, { nodes, buses, ingests }: Cast): boolean {
  const disks = [...[...nodes.values()].filter(({ isDead }) => !isDead), ...buses.values()];
  return (
    disks.some((disk) => disk.holds(id)) || [...ingests.values()].some((each) => each.owes(id))
  );
}

function planFault(fault: Fault, cast: Cast): void {
  const { world } = cast;
  const { begin, end } = effectsOf(fault, cast);
  world.at(fault.atMs, () => {
    world.note(() => `FAULT ${JSON.stringify(fault)}`);
    begin();
  });
  if ('untilMs' in fault) world.at(fault.untilMs, end);
}

const nothing = () => undefined;

function effectsOf(fault: Fault, cast: Cast): { begin: () => void; end: () => void } {
  const { world, nodes, buses, ingests, providers, canary, scenario } = cast;
  const node = 'node' in fault ? nodes.get(fault.node) : undefined;
  switch (fault.kind) {
    case 'crash':
      return {
        begin: () => node?.crash(fault.afterActs),
        end: () => {
          node?.crash(0);
          if (fault.losesDisk) node?.loseDisk();
          node?.start();
        },
      };
    case 'die':
      return {
        begin: () => {
          node?.crash(0);
          if (node) node.isDead = true;
        },
        end: nothing,
      };
    case 'freeze':
      return { begin: () => node?.freeze(EPOCH_MS + fault.untilMs), end: nothing };
    case 'partition': {
      const cut = { from: new Set(fault.from), to: new Set(fault.to) };
      const cuts = fault.oneWay ? [cut] : [cut, { from: cut.to, to: cut.from }];
      return {
        begin: () => {
          for (const each of cuts) world.cuts.add(each);
        },
        end: () => {
          world.heal(cuts);
        },
      };
    }
    case 'bus-down': {
      const bus = buses.get(fault.site);
      return {
        begin: () => {
          if (bus) bus.isDown = true;
        },
        end: () => {
          if (bus === undefined) return;
          bus.isDown = false;
          if (fault.losesDisk) {
            cast.checks.lostDisk(bus.name);
            bus.loseDisk();
          }
          bus.wake();
        },
      };
    }
    case 'provider': {
      const { transport, mode } = fault;
      return {
        begin: () => {
          for (const from of fault.nodes) providers.begin(from, transport, mode);
        },
        end: () => {
          for (const from of fault.nodes) providers.end(from, transport, mode);
        },
      };
    }
    case 'black-hole':
      return { begin: () => providers.swallow(fault.node, fault.transport), end: nothing };
    case 'partial-replica':
      return {
        begin: () => {
          node?.crash(0);
          node?.lack(scenario.devices.map(({ id }) => id).filter(() => world.random.chance(0.4)));
          node?.start();
        },
        end: () => node?.becomeWhole(),
      };
    case 'ingest-crash': {
      const ingest = ingests.get(fault.ingest);
      return { begin: () => ingest?.crash(), end: () => ingest?.restart() };
    }
    case 'canary-silent':
      return {
        begin: () => {
          canary.isSilent = true;
        },
        end: () => {
          canary.isSilent = false;
        },
      };
  }
}

/** The faults are over: who is not dead for good is back, and messages arrive. */
function heal(cast: Cast): void {
  const { world } = cast;
  world.note(() => 'ALL FAULTS END, except the dead and what swallows');
  world.heal([...world.cuts]);
  world.calmDown();
  cast.providers.heal();
  for (const node of cast.nodes.values()) {
    node.becomeWhole();
    node.start();
  }
  for (const bus of cast.buses.values()) {
    bus.isDown = false;
    bus.wake();
  }
}
