import { ConfigError } from '../../shared/config/parse-env.ts';
import { brokenByCut, cutTable } from './cut-figures.ts';
import { DemoError } from './demo-error.ts';
import { broken, table } from './figures.ts';
import { findSystem, type RunningSystem } from './find-system.ts';
import { envForCut, runCutDemo } from './run-cut-demo.ts';
import { type DemoOptions, runDemo, writeReport } from './run-demo.ts';

const DEVICES = 2_000;
const MESSAGES_PER_SECOND = 60;

const startedMs = Date.now();
const say = (line: string) => {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`[${seconds.padStart(6)} s] ${line}\n`);
};

async function playKill(system: RunningSystem, options: DemoOptions): Promise<string[]> {
  const figures = await runDemo(system, options);
  process.stdout.write(`\n${table(figures)}\n\n`);
  say(`figures: ${writeReport('demo', figures)}`);
  return broken(figures);
}

async function playCut(
  system: RunningSystem,
  site: string,
  options: DemoOptions,
): Promise<string[]> {
  const figures = await runCutDemo(system, site, options);
  process.stdout.write(`\n${cutTable(figures)}\n\n`);
  say(`figures: ${writeReport('sites', figures)}`);
  return brokenByCut(figures);
}

try {
  const cut = process.env['CUT'] || undefined;
  const system = await findSystem(say, cut === undefined ? process.env : envForCut(process.env));
  try {
    const options = { devices: DEVICES, messagesPerSecond: MESSAGES_PER_SECOND, say };
    const problems =
      cut === undefined ? await playKill(system, options) : await playCut(system, cut, options);
    for (const line of problems) process.stderr.write(`BROKEN: ${line}\n`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } finally {
    await system.close();
  }
} catch (error) {
  if (!(error instanceof DemoError) && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`make demo: ${error.message}\n`);
  process.exitCode = 1;
}
