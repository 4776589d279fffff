import { loadavg } from 'node:os';
import { z } from 'zod';
import { parseEnv } from '../../shared/config/parse-env.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import { alertBench } from './benches/alert-bench.ts';
import { encryptionBench, fcmBench, limitBench, webPushBench } from './benches/contest-benches.ts';
import { ingestBench, registryBench } from './benches/ingest-bench.ts';
import { profileBench } from './benches/profile-bench.ts';
import { stuckBench } from './benches/stuck-bench.ts';
import { keepSection, readReport } from './report/bench-report.ts';
import { mustTable, writeMusts, writeSection } from './report/page.ts';
import type { Must, RunOptions, Section } from './report/section.ts';

/**
 * `main.ts [NAME…]`: measures what is named, or everything. Each section of reports/bench.json and of
 * docs/benchmarks.md is replaced by its own bench; the others stay. A bench that fails is reported and the rest goes on.
 */
const BENCHES: Readonly<Record<string, (options: RunOptions) => Promise<Section>>> = {
  encryption: encryptionBench,
  'web-push': webPushBench,
  fcm: fcmBench,
  limit: limitBench,
  stuck: stuckBench,
  profile: profileBench,
  ingest: ingestBench,
  replicas: registryBench,
  alert: alertBench,
};
/** Waits most of the time: it runs beside the others. */
const BESIDE = 'stuck';

const whenSet = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);
const Environment = z.object({
  ROUNDS: whenSet(z.coerce.number().int().min(1).default(5)),
  SCALE: whenSet(z.coerce.number().positive().max(1).default(1)),
  SIZE: whenSet(
    z
      .string()
      .regex(/^\d+(?:,\d+)*$/, 'must be numbers of devices, such as 10000,100000')
      .transform((text) => text.split(',').map(Number))
      .optional(),
  ),
});

interface Done {
  readonly name: string;
  readonly section: Section;
  readonly tookSeconds: number;
}

const { ROUNDS, SCALE, SIZE } = parseEnv(Environment, process.env);
const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in BENCHES));
if (unknown.length > 0)
  throw new Error(
    `there is no bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`,
  );
const isWhole = SCALE === 1 && ROUNDS >= 5;
const startedMs = performance.now();
const say = (line: string) => {
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  process.stderr.write(`${String(seconds).padStart(4)} s  ${line}\n`);
};
if ((loadavg()[0] ?? 0) > 1) say('other work is running on this machine: the figures will say so');

const failed: string[] = [];
const names = Object.keys(BENCHES).filter((name) => named.length === 0 || named.includes(name));
const beside = names.length > 1 && names.includes(BESIDE) ? take(BESIDE) : undefined;
for (const name of names) if (!beside || name !== BESIDE) keep(await take(name));
keep(await beside);

const musts = Object.values(readReport().sections).flatMap((section) => section.musts);
if (isWhole) writeMusts(musts);
process.stdout.write(`\n${mustTable(mustsOfThisRun())}\n`);
if (failed.length > 0) process.stdout.write(`\nfailed: ${failed.join('; ')}\n`);
process.stdout.write(
  `\n${Math.round((performance.now() - startedMs) / 1000)} s; all figures are in reports/bench.json${isWhole ? ', the page is docs/benchmarks.md' : '; a shortened run leaves the page alone'}\n`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

async function take(name: string): Promise<Done | undefined> {
  const benchStartedMs = performance.now();
  try {
    const section = await BENCHES[name]?.({ rounds: ROUNDS, scale: SCALE, sizes: SIZE, say });
    const tookSeconds = Math.round((performance.now() - benchStartedMs) / 1000);
    return section && { name, section, tookSeconds };
  } catch (error) {
    failed.push(`${name}: ${errorFields(error).error}`);
    say(`${name} failed: ${errorFields(error).error}`);
    return undefined;
  }
}

function keep(done: Done | undefined): void {
  if (!done) return;
  const { name, section, tookSeconds } = done;
  keepSection(name, section, { tookSeconds, isWhole });
  if (isWhole) writeSection(name, section, { tookSeconds, isWhole });
  process.stdout.write(`\n## ${section.title}\n\n${section.text}\n`);
}

function mustsOfThisRun(): Must[] {
  const { sections } = readReport();
  return names.flatMap((name) => sections[name]?.musts ?? []);
}
