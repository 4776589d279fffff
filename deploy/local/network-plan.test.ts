import { expect, test } from '@jest/globals';
import { layoutOf, portsOf } from './layout.ts';
import {
  cutCommand,
  healCommand,
  inNamespace,
  machineLink,
  networkPlan,
  setUpCommands,
} from './network-plan.ts';

const layout = layoutOf({ sites: 3, portBase: 8400, stateDir: '/state' });
const plan = networkPlan(layout);

test('every site and the sandbox have a namespace, a cable and an address of their own', () => {
  expect(plan).toEqual({
    hub: 'tocsin-8400-hub',
    machine: { link: 'tocsin8400', address: '198.18.65.161/28' },
    network: '198.18.65.160/28',
    places: [
      {
        name: 'sandbox',
        namespace: 'tocsin-8400-sandbox',
        port: 'p-sandbox',
        address: '198.18.65.162',
        ports: { first: 8489, last: 8493 },
      },
      ...['a', 'b', 'c'].map((name, i) => ({
        name,
        namespace: `tocsin-8400-${name}`,
        port: `p-${name}`,
        address: `198.18.65.${163 + i}`,
        ports: { first: 8401 + 10 * i, last: 8406 + 10 * i },
      })),
    ],
  });
});

test('every port but the launcher’s own belongs to exactly one place', () => {
  for (const { port } of portsOf(layout)) {
    const owners = plan.places.filter(({ ports }) => ports.first <= port && port <= ports.last);
    expect([port, owners.length]).toEqual([port, port === layout.controlPort ? 0 : 1]);
  }
});

test('systems whose PORT_BASE differs by 100 have different networks, up to the last one', () => {
  const networks = Array.from({ length: 643 }, (_, i) => {
    const portBase = 1_100 + 100 * i;
    return networkPlan(layoutOf({ sites: 3, portBase, stateDir: '/' })).network;
  });
  expect(new Set(networks).size).toBe(643);
  expect(networks.at(-1)).toBe('198.19.254.32/28');
  expect(machineLink(65_400).length).toBeLessThanOrEqual(15);
});

test('loopback ports of every other place lead to that place, and nowhere else', () => {
  const rules = setUpCommands(plan)
    .map((command) => command.join(' '))
    .filter((line) => line.includes('DNAT'));
  expect(rules).toHaveLength(4 * 3);
  expect(rules.filter((line) => line.includes('netns/tocsin-8400-b '))).toEqual(
    [
      ['8489:8493', '198.18.65.162'],
      ['8401:8406', '198.18.65.163'],
      ['8421:8426', '198.18.65.165'],
    ].map(
      ([ports, address]) =>
        `nsenter --net=/run/netns/tocsin-8400-b -- iptables -w -t nat -A OUTPUT -d 127.0.0.1/32 -p tcp --dport ${ports} -j DNAT --to-destination ${address}`,
    ),
  );
});

test('the bridge is in the hub’s namespace; cutting unplugs a cable there and healing plugs it in', () => {
  const bridges = setUpCommands(plan).filter((command) => command.includes('bridge'));
  expect(bridges).toEqual([
    ['ip', '-n', 'tocsin-8400-hub', 'link', 'add', 'br0', 'type', 'bridge'],
  ]);
  const [, , b] = plan.places;
  if (!b) throw new Error('no place');
  const link = ['ip', '-n', 'tocsin-8400-hub', 'link', 'set', 'p-b'];
  expect(cutCommand(plan, b)).toEqual([...link, 'nomaster']);
  expect(healCommand(plan, b)).toEqual([...link, 'master', 'br0']);
  expect(inNamespace('n', ['node', 'x'])).toEqual([
    'nsenter',
    '--net=/run/netns/n',
    '--',
    'node',
    'x',
  ]);
});
