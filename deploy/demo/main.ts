import { ConfigError } from '../../shared/config/parse-env.ts';
import { DemoError } from './demo-error.ts';
import { broken, table } from './figures.ts';
import { findSystem } from './find-system.ts';
import { runDemo, writeReport } from './run-demo.ts';

const DEVICES = 2_000;
const MESSAGES_PER_SECOND = 60;

const startedMs = Date.now();
const say = (line: string) => {
  const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`[${seconds.padStart(6)} s] ${line}\n`);
};

try {
  const system = await findSystem(say);
  try {
    const options = { devices: DEVICES, messagesPerSecond: MESSAGES_PER_SECOND, say };
    const figures = await runDemo(system, options);
    process.stdout.write(`\n${table(figures)}\n\n`);
    say(`figures: ${writeReport(figures)}`);
    for (const line of broken(figures)) process.stderr.write(`BROKEN: ${line}\n`);
    process.exitCode = broken(figures).length === 0 ? 0 : 1;
  } finally {
    await system.close();
  }
} catch (error) {
  if (!(error instanceof DemoError) && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`make demo: ${error.message}\n`);
  process.exitCode = 1;
}
