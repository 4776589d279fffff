import { setTimeout as delay } from 'node:timers/promises';
import { raise } from '../harness/alerts.ts';
import type { Random } from '../harness/random.ts';
import { judge, type Played, type Row } from '../harness/row.ts';
import type { Stage } from '../harness/stage.ts';

export const oneBus: Row = {
  id: 'F4',
  title: 'kill -9 or SIGSTOP of one site’s bus around an alert',
  promise: 'everybody gets it once; the 202 still names two sites',
  runs: { full: 30, short: 1, seconds: 1.5 },
  seenToFail: 'the direct lane taken away and the other bus not started: nobody takes the alert',
  play,
};

async function play(stage: Stage, random: Random): Promise<Played> {
  const system = stage.sabotage
    ? await stage.system('bus lane alone', () => ({
        adjust: (spec) =>
          spec.kind === 'ingest'
            ? { ...spec, env: { ...spec.env, DISPATCHERS: '[]', EDGES: '[]' } }
            : spec,
        services: ['dispatcher', 'ingest', 'edge'],
      }))
    : await stage.system('standard');
  if (stage.sabotage) await system.kill('nats-a', 'nats-b');
  const bus = `nats-${random.pick(['a', 'b'])}`;
  const isFrozen = random.next() < 0.5;
  const strike = async () => {
    if (isFrozen) system.signal('SIGSTOP', bus);
    else await system.kill(bus);
  };
  try {
    await Promise.all([delay(random.between(0, 200)).then(strike)]);
    await delay(random.between(0, 1_500));
    const alert = await raise(system, {
      first: random.pick(['a', 'b'] as const),
      withinMs: 20_000,
    });
    const { durability } = alert.answer;
    return await judge(system, [alert], {
      broken: [durability !== 'two-sites' && `the 202 says ${durability}`],
    });
  } finally {
    if (isFrozen) system.signal('SIGCONT', bus);
    await system.start('nats-a', 'nats-b');
    await stage.healthy();
  }
}
