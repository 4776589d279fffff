import { type Layout, SERVICES } from '../../../deploy/local/layout.ts';
import type { ProcessSpec } from '../../../deploy/local/managed-process.ts';
import type { AdjustSpec } from '../../failover/harness/fault-system.ts';
import { type ProxyFaults, TcpFaultProxy } from '../../support/tcp-fault-proxy.ts';

/** One wire: from a process to a port of another one. */
export interface WireName {
  /** Such as `ingest-a`. */
  readonly from: string;
  /** Such as `dispatcher-b`, `nats-a`, `nats-monitor-a`; towards the sandbox the variable's name: `AUTOPUSH_URL`. */
  readonly to: string;
}

interface Wire extends WireName {
  readonly targetPort: number;
  readonly proxy: TcpFaultProxy;
}

/** A proxy on every connection that a service makes to another process, one for each pair of processes. */
export interface Wires {
  readonly adjust: AdjustSpec;
  /** Sets the faults of those wires; what is not named is off. */
  readonly set: (isMeant: (wire: WireName) => boolean, faults: Partial<ProxyFaults>) => void;
  readonly close: () => Promise<void>;
}

/** What a canary's receivers are connected by. Each has a wire of its own, though they share a port. */
const RECEIVERS = ['AUTOPUSH_URL', 'FCM_PROBE_URL', 'FCM_MCS_SERVER'] as const;
const ADDRESS = /(127\.0\.0\.1|localhost):(\d+)/g;

export async function startWires({ sites, sandbox }: Layout): Promise<Wires> {
  const wires: Wire[] = [];
  const add = async (from: string, to: string, targetPort: number) => {
    const proxy = await TcpFaultProxy.start({ host: '127.0.0.1', port: targetPort });
    wires.push({ from, to, targetPort, proxy });
  };
  const senders = sites.flatMap(({ name }) => SERVICES.map((kind) => `${kind}-${name}`));
  for (const from of senders)
    for (const { name, ports } of sites) {
      for (const kind of SERVICES) await add(from, `${kind}-${name}`, ports[kind]);
      await add(from, `nats-${name}`, ports.nats);
      await add(from, `nats-monitor-${name}`, ports.natsMonitor);
    }
  for (const { name } of sites)
    for (const variable of RECEIVERS) {
      const port = variable === 'FCM_MCS_SERVER' ? sandbox.mcs : sandbox.receivers;
      await add(`canary-${name}`, variable, port);
    }
  const rewire = (spec: ProcessSpec, variable: string, value: string) =>
    value.replaceAll(ADDRESS, (address, host: string, port: string) => {
      const own = wires.filter(
        ({ from, targetPort }) => from === spec.name && String(targetPort) === port,
      );
      const wire = own.find(({ to }) => to === variable) ?? own.find(({ to }) => !isVariable(to));
      return wire === undefined ? address : `${host}:${wire.proxy.port}`;
    });
  return {
    adjust: (spec) => {
      if (spec.site === undefined || spec.kind === 'nats') return spec;
      const env = Object.entries(spec.env).map(([name, value]) => [
        name,
        rewire(spec, name, value),
      ]);
      return { ...spec, env: Object.fromEntries(env) };
    },
    set: (isMeant, faults) => {
      for (const wire of wires) if (isMeant(wire)) wire.proxy.set(faults);
    },
    close: async () => {
      await Promise.all(wires.map(({ proxy }) => proxy.close()));
    },
  };
}

const isVariable = (to: string) => RECEIVERS.some((name) => name === to);

/** The site that a process belongs to. */
export function siteOf(process: string): string {
  return process.slice(process.lastIndexOf('-') + 1);
}
