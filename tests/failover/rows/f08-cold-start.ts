import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { filesOf, type ProcessKind } from '../../../deploy/local/layout.ts';
import { type Acknowledged, everybodyHasIt, raise, untilDevices } from '../harness/alerts.ts';
import type { FaultSystem } from '../harness/fault-system.ts';
import { coveringOrders } from '../harness/orders.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

const LIMIT_MS = 120_000;
const KINDS = ['dispatcher', 'ingest', 'edge', 'canary'] as const;
/**
 * Where the bus comes: anywhere among the others, after them, after them with no data, never again; each with orders of
 * the kinds in which any three of them come in each of their six orders.
 */
const CASES = [
  ...coveringOrders(['nats' as const, ...KINDS]).map((order) => ({ bus: 'in turn', order })),
  ...['last', 'empty', 'gone'].flatMap((bus) =>
    coveringOrders(KINDS).map((order) => ({ bus, order })),
  ),
] as const;
/** So that the first few runs are not all of one sort. */
const STRIDE = 5;

export const coldStart: Row = {
  id: 'F8',
  title:
    'everything killed; started in every order of any three kinds; the bus in turn, last, empty or gone for good',
  promise:
    'an alert that is asked for at the first instant reaches its first device in under 120 s (aim: 15 s), and then everybody, once',
  // Each case once: not all 120 + 3 × 24 orders, but orders that have any three kinds in each order.
  runs: { full: CASES.length, short: 1, seconds: 8 },
  seenToFail: 'the dispatchers not started: nothing reaches anybody',
  play,
};

async function play(stage: Stage, random: Random, run: number): Promise<Played> {
  const system = await stage.system('cold');
  const next = CASES[(run * STRIDE) % CASES.length];
  if (!next) throw new Error('there are no cases');
  const { bus, order } = next;
  await system.kill(...system.names('nats', ...KINDS));
  if (bus === 'empty') {
    const files = filesOf(system.stateDir);
    for (const site of system.sites)
      rmSync(files.natsStore(site), { recursive: true, force: true });
  }
  const sinceMs = Date.now();
  const asking = raise(system, {
    first: random.pick(['a', 'b'] as const),
    withinMs: LIMIT_MS,
    timeoutMs: 2_500,
  });
  asking.catch(() => undefined);
  for (const kind of order) {
    if (!(stage.sabotage && kind === 'dispatcher'))
      for (const name of random.shuffle(system.names(kind))) system.launch(name);
    await delay(random.between(0, 1_500));
  }
  if (bus === 'last' || bus === 'empty') {
    await delay(3_000);
    for (const name of system.names('nats')) system.launch(name);
  }
  try {
    const alert = { ...(await asking), sinceMs };
    return await toTheFirstDevice(system, alert, { bus, order, isHopeless: stage.sabotage });
  } finally {
    await system.start(...system.names('nats'));
    await system.start(...system.names(...KINDS));
  }
}

async function toTheFirstDevice(
  system: FaultSystem,
  alert: Acknowledged,
  { bus, order, isHopeless }: { bus: string; order: readonly ProcessKind[]; isHopeless: boolean },
): Promise<Played> {
  const withinMs = isHopeless ? 5_000 : LIMIT_MS;
  const { inside } = await untilDevices(system, alert.id, everybodyHasIt, withinMs);
  const firstMs = (inside.firstMs ?? Number.POSITIVE_INFINITY) - alert.sinceMs;
  return judge(
    system,
    [alert],
    {
      case: `bus ${bus}`,
      broken: [
        firstMs > LIMIT_MS &&
          `bus ${bus}, ${order.join(', ')}: the first device had it after ${firstMs} ms`,
      ],
      figures: { [`seconds to the first device, bus ${bus}`]: Math.round(firstMs / 10) / 100 },
    },
    isHopeless ? 0 : undefined,
  );
}
