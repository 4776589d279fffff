import { errorFields } from '../../shared/log/error-fields.ts';
import { forwardPorts } from './forward-ports.ts';
import type { Layout } from './layout.ts';
import type { ProcessSpec } from './managed-process.ts';
import {
  type Command,
  cutCommand,
  healCommand,
  inNamespace,
  machineLink,
  namespacePrefix,
  networkPlan,
  type Place,
  setUpCommands,
} from './network-plan.ts';
import { runCommand } from './run-command.ts';
import { StartError } from './wait-for.ts';

/** `auto`: sites are in network namespaces when there are three and this machine can do it. */
export type NetnsChoice = 'auto' | 'on' | 'off';

/** The network between the sites, which can be cut. */
export interface SiteNetwork {
  readonly sites: () => readonly { name: string; namespace: string; cut: boolean }[];
  /** Takes a site away from everybody else; what it sends and what is sent to it vanishes. Answers what was done. */
  readonly cut: (site: string) => Promise<string>;
  readonly heal: (site: string) => Promise<string>;
  /** The same program, started in its site's namespace (or the sandbox's). */
  readonly place: (spec: ProcessSpec) => ProcessSpec;
  readonly close: () => Promise<void>;
}

const COMMAND_MS = 10_000;

/** Undefined where sites are plain processes; when that was not asked for, one line says why. Rejects with StartError. */
export async function openSiteNetwork(
  choice: NetnsChoice,
  layout: Layout,
  deps: { say: (line: string) => void; natsInContainer: boolean },
): Promise<SiteNetwork | undefined> {
  if (choice === 'off' || (choice === 'auto' && layout.sites.length < 3)) return undefined;
  try {
    const missing = deps.natsInContainer ? 'nats-server runs in a container' : missingHere();
    if (missing !== undefined) throw new Error(missing);
    const network = await build(layout);
    deps.say(
      'every site, and the sandbox, is in a network namespace of its own: sites can be cut off',
    );
    return network;
  } catch (error) {
    const reason = errorFields(error).error;
    await removeSiteNetwork(layout.portBase);
    if (choice === 'on')
      throw new StartError(
        `NETNS=on: sites cannot be put into network namespaces here: ${reason}\n` +
          'What to do: run as root with ip (iproute2), nsenter and iptables, or without NETNS',
      );
    deps.say(`sites are plain processes, without network namespaces: ${reason}`);
    return undefined;
  }
}

/** What keeps this process from making namespaces, as far as it shows before trying. */
export function missingHere(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has them';
  return process.getuid?.() === 0 ? undefined : 'that takes root';
}

/** Removes what a launcher with this PORT_BASE has left behind; nothing to do is fine. */
export async function removeSiteNetwork(portBase: number): Promise<void> {
  if (missingHere() !== undefined) return;
  await attempt(['ip', 'link', 'del', machineLink(portBase)]);
  const listed = await attempt(['ip', 'netns', 'list']);
  const names = listed.split('\n').map((line) => line.split(' ')[0] ?? '');
  for (const name of names)
    if (name.startsWith(namespacePrefix(portBase))) await attempt(['ip', 'netns', 'del', name]);
}

async function build(layout: Layout): Promise<SiteNetwork> {
  const plan = networkPlan(layout);
  for (const command of setUpCommands(plan)) await run(command);
  const forwarding = await forwardPorts(
    plan.places.flatMap(({ ports, address }) =>
      Array.from({ length: ports.last - ports.first + 1 }, (_, i) => ({
        port: ports.first + i,
        toAddress: address,
      })),
    ),
  );
  const cutOff = new Set<string>();
  const placeOf = (name: string): Place => {
    const place = plan.places.find((each) => each.name === name);
    if (!place) throw new Error(`there is no place ${name}`);
    return place;
  };
  return {
    sites: () =>
      layout.sites.map(({ name }) => ({
        name,
        namespace: placeOf(name).namespace,
        cut: cutOff.has(name),
      })),
    cut: async (site) => {
      await run(cutCommand(plan, placeOf(site)));
      cutOff.add(site);
      return `the cable of ${placeOf(site).namespace} is unplugged: what it sends and what is sent to it vanishes`;
    },
    heal: async (site) => {
      await run(healCommand(plan, placeOf(site)));
      cutOff.delete(site);
      return `the cable of ${placeOf(site).namespace} is plugged in again`;
    },
    place: (spec) => {
      const { namespace } = placeOf(spec.site ?? 'sandbox');
      const [file, ...args] = inNamespace(namespace, [spec.file, ...spec.args]);
      return { ...spec, file, args };
    },
    close: async () => {
      await forwarding.close();
      await removeSiteNetwork(layout.portBase);
    },
  };
}

function run([file, ...args]: Command): Promise<string> {
  return runCommand(file, args, { timeoutMs: COMMAND_MS });
}

function attempt(command: Command): Promise<string> {
  return run(command).catch(() => '');
}
