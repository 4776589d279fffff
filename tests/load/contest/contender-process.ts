import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

const SAMPLE_EVERY_MICROS = 200;

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

/** What the turn before, or the preparation, has left behind is not this turn's cost. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

async function takeTurn(contender: Contender, messages: number): Promise<Turn> {
  await contender.prepare?.(messages);
  collectGarbage();
  const endProfile = await beginProfile();
  const startedMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const foreign = await contender.run(messages);
  const { user, system } = process.cpuUsage(cpuBefore);
  const wallMs = performance.now() - startedMs;
  await endProfile?.();
  return {
    messages,
    cpuMicros: foreign?.cpuMicros ?? user + system,
    wallMs,
    rssMb: process.memoryUsage.rss() / 1e6,
  };
}

/** Of the turn alone, without start and preparation; into the file that CPU_PROFILE names. The last turn's stays. */
async function beginProfile(): Promise<(() => Promise<void>) | undefined> {
  const file = process.env['CPU_PROFILE'];
  if (file === undefined) return undefined;
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_MICROS });
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(file, JSON.stringify(profile));
  };
}
