import type { Measure, StandIn, Turn } from './contender.ts';
import { CONTESTS } from './contests.ts';

/**
 * One contender in a process of its own: `contender-process.ts CONTEST CONTENDER STAND-IN`. Does a turn when it is told
 * to, and ends with whoever started it.
 */
const [contestKey = '', name = '', standInJson = ''] = process.argv.slice(2);
const start = CONTESTS[contestKey]?.contenders[name];
if (!start) throw new Error(`there is no contender "${name}" in "${contestKey}"`);
const standIn: StandIn = JSON.parse(standInJson);
const contender = await start(standIn);

process.on('message', ({ messages }: Measure) => {
  void takeTurn(messages).then((turn) => process.send?.(turn));
});
process.once('disconnect', () => {
  void contender.close().finally(() => process.exit(0));
});
process.send?.('ready');

async function takeTurn(messages: number): Promise<Turn> {
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  await contender.run(messages);
  const { user, system } = process.cpuUsage(cpuBefore);
  return { messages, cpuMicros: user + system, wallMs: performance.now() - startedMs };
}
