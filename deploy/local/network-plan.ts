import type { Layout } from './layout.ts';

/** One network namespace with the programs of a site, or with the sandbox. */
export interface Place {
  /** A site's name, or `sandbox`. */
  readonly name: string;
  readonly namespace: string;
  /** Its end of the cable in the hub. */
  readonly port: string;
  readonly address: string;
  readonly ports: { readonly first: number; readonly last: number };
}

/**
 * Sites in network namespaces, each with one cable to a bridge. The bridge is in a namespace of its own, where no
 * firewall of this machine sees what passes it (a Docker engine drops what bridges of the machine itself forward).
 */
export interface NetworkPlan {
  readonly hub: string;
  /** The machine's own cable to the hub: link name, and address with prefix length. */
  readonly machine: { readonly link: string; readonly address: string };
  readonly network: string;
  readonly places: readonly Place[];
}

export type Command = readonly [string, ...string[]];

const BRIDGE = 'br0';
const PREFIX_LENGTH = 28;

/** Every namespace of the system with this PORT_BASE begins so. */
export function namespacePrefix(portBase: number): string {
  return `tocsin-${portBase}-`;
}

/** The machine's end of its cable; a link's name has at most 15 characters. */
export function machineLink(portBase: number): string {
  return `tocsin${portBase}`;
}

/** Pure: names and addresses of one local system. Two systems whose PORT_BASE differs by 100 never meet. */
export function networkPlan(layout: Layout): NetworkPlan {
  const prefix = namespacePrefix(layout.portBase);
  // 198.18.0.0/15 is set apart for benchmarks inside one's own walls (RFC 2544, RFC 6890): 8,192 networks of 16.
  const network = 16 * (layout.portBase >> 3);
  const address = (host: number) => {
    const offset = network + host;
    return `198.${18 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
  };
  const place = (name: string, host: number, ports: readonly number[]): Place => ({
    name,
    namespace: `${prefix}${name}`,
    port: `p-${name}`,
    address: address(host),
    ports: { first: Math.min(...ports), last: Math.max(...ports) },
  });
  return {
    hub: `${prefix}hub`,
    machine: {
      link: machineLink(layout.portBase),
      address: `${address(1)}/${PREFIX_LENGTH}`,
    },
    network: `${address(0)}/${PREFIX_LENGTH}`,
    places: [
      place('sandbox', 2, Object.values(layout.sandbox)),
      ...layout.sites.map((site, i) => place(site.name, 3 + i, Object.values(site.ports))),
    ],
  };
}

/** Runs a program in a namespace, in the same process: its pid is the program's. */
export function inNamespace(namespace: string, command: Command): Command {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...command];
}

/** Pure: what builds the network, in order. */
export function setUpCommands(plan: NetworkPlan): Command[] {
  const { hub, machine, places } = plan;
  return [
    ['ip', 'netns', 'add', hub],
    ['ip', '-n', hub, 'link', 'add', BRIDGE, 'type', 'bridge'],
    ['ip', '-n', hub, 'link', 'set', BRIDGE, 'up'],
    ...places.flatMap((place) => placeCommands(place, plan)),
    ['ip', 'link', 'add', machine.link, 'type', 'veth', 'peer', 'name', 'p-machine', 'netns', hub],
    ['ip', '-n', hub, 'link', 'set', 'p-machine', 'master', BRIDGE, 'up'],
    ['ip', 'addr', 'add', machine.address, 'dev', machine.link],
    ['ip', 'link', 'set', machine.link, 'up'],
  ];
}

/**
 * One place and its cable. `127.0.0.1:port` means the same site from everywhere, as without namespaces: what is sent to
 * another place's port on loopback goes to that place's address. So addresses, certificates and subscriptions stay.
 */
function placeCommands(place: Place, { hub, network, places }: NetworkPlan): Command[] {
  const { namespace, port, address } = place;
  const inside = (...command: Command) => inNamespace(namespace, command);
  const nat = (...rule: string[]) => inside('iptables', '-w', '-t', 'nat', '-A', ...rule);
  return [
    ['ip', 'netns', 'add', namespace],
    [
      'ip',
      '-n',
      hub,
      'link',
      'add',
      port,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      namespace,
    ],
    ['ip', '-n', hub, 'link', 'set', port, 'master', BRIDGE, 'up'],
    ['ip', '-n', namespace, 'addr', 'add', `${address}/${PREFIX_LENGTH}`, 'dev', 'eth0'],
    ['ip', '-n', namespace, 'link', 'set', 'eth0', 'up'],
    ['ip', '-n', namespace, 'link', 'set', 'lo', 'up'],
    inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet'),
    ...places
      .filter((other) => other !== place)
      .map((other) =>
        nat(
          ...['OUTPUT', '-d', '127.0.0.1/32', '-p', 'tcp'],
          ...['--dport', `${other.ports.first}:${other.ports.last}`],
          ...['-j', 'DNAT', '--to-destination', other.address],
        ),
      ),
    nat('POSTROUTING', '-o', 'eth0', '-s', '127.0.0.0/8', '-j', 'MASQUERADE'),
    // Nobody beyond this machine, should it route for others.
    inside('iptables', '-w', '-A', 'INPUT', '-i', 'eth0', '!', '-s', network, '-j', 'DROP'),
  ];
}

/** Pulls a place's cable out of the hub: what is sent vanishes, both ways, and nobody is told. */
export function cutCommand({ hub }: NetworkPlan, { port }: Place): Command {
  return ['ip', '-n', hub, 'link', 'set', port, 'nomaster'];
}

/** Plugs it in again. */
export function healCommand({ hub }: NetworkPlan, { port }: Place): Command {
  return ['ip', '-n', hub, 'link', 'set', port, 'master', BRIDGE];
}
