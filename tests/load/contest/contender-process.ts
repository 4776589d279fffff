import type { Contender, ContenderWord, Measure, Target, Turn } from './contender.ts';
import { CONTESTS } from './contests.ts';

/**
 * One contender in a process of its own: `contender-process.ts CONTEST CONTENDER TARGET`. Does a turn when it is told
 * to, and ends with whoever started it.
 */
const [contestKey = '', name = '', targetJson = ''] = process.argv.slice(2);
const entry = CONTESTS[contestKey]?.entries[name];
if (!entry) throw new Error(`there is no contender "${name}" in "${contestKey}"`);
const target: Target = JSON.parse(targetJson);

const say = (word: ContenderWord) => process.send?.(word);
const sayFailed = (error: unknown) =>
  say({ kind: 'failed', why: error instanceof Error ? error.message : String(error) });

/** Libraries leave rejections and errors of connections that nobody listens to. */
process.on('unhandledRejection', sayFailed);
process.on('uncaughtException', sayFailed);
process.once('disconnect', () => process.exit(0));
entry.start(target).then((contender) => {
  process.on('message', ({ messages }: Measure) => {
    takeTurn(contender, messages).then((turn) => say({ kind: 'turn', turn }), sayFailed);
  });
  say({ kind: 'ready' });
}, sayFailed);

async function takeTurn(contender: Contender, messages: number): Promise<Turn> {
  await contender.prepare?.(messages);
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const foreign = await contender.run(messages);
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    messages,
    cpuMicros: foreign?.cpuMicros ?? user + system,
    wallMs: performance.now() - startedMs,
    rssMb: process.memoryUsage.rss() / 1e6,
  };
}
