import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AlertId } from '../../shared/alert/alert-id.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { type CrowdReport, crowdReport, registerCrowd, setProviderPace } from './crowd.ts';
import { DemoError } from './demo-error.ts';
import { type DemoFigures, demoFigures } from './figures.ts';
import { type RunningSystem, urlOf } from './find-system.ts';
import { killForGood, startAgain } from './kill.ts';
import { waitForProofs } from './proofs.ts';
import { runCli } from './run-cli.ts';
import { until } from './until.ts';

export interface DemoOptions {
  /** Devices in all five communes together; a fifth is in the alert's area. */
  readonly devices: number;
  /** How fast each stand-in provider takes messages: slow enough to be killed half-way. */
  readonly messagesPerSecond: number;
  readonly say: (line: string) => void;
}

const ROOT = join(import.meta.dirname, '../..');
export const NICE = join(ROOT, 'deploy/examples/nice-alert.json');
/** Time for the last device after the kill, with a wide margin; the figures say what it was. */
const LAST_DEVICE_MS = 60_000;

/**
 * The night of 14 July in Nice, played on the running system: an alert for one commune, one of the dispatchers killed
 * with -9 when half of the devices have it, then the cancel. Restores what it changed.
 */
export async function runDemo(system: RunningSystem, options: DemoOptions): Promise<DemoFigures> {
  const { say } = options;
  const victim = system.sites.at(-1);
  if (victim === undefined || system.sites.length < 2)
    throw new DemoError('the demonstration kills a dispatcher: it needs two sites (SITES=2 or 3)');
  await registerCrowd(system, options.devices, say);
  await waitForProofs(system, say);
  const name = `dispatcher-${victim}`;
  await setProviderPace(system, options.messagesPerSecond);
  try {
    return await raiseKillCancel(system, victim, say);
  } finally {
    await setProviderPace(system, 0);
    await startAgain(system, name);
    say(`${name} is started again`);
  }
}

async function raiseKillCancel(
  system: RunningSystem,
  victim: string,
  say: (line: string) => void,
): Promise<DemoFigures> {
  const before = await crowdReport(system, '0'.repeat(32));
  say('raising the alert for Nice: tocsin send deploy/examples/nice-alert.json');
  const sentAtMs = Date.now();
  const alertId = alertIdIn(await runCli(system, ['send', NICE, '--yes']));

  const half = await untilReport(
    system,
    alertId,
    'half of the devices have it',
    ({ inside }) => inside.received * 2 >= inside.devices,
  );
  await killForGood(system, `dispatcher-${victim}`);
  say(
    `dispatcher ${victim} killed with -9: ${half.inside.received} of ${half.inside.devices} devices have the alert`,
  );
  const after = await untilReport(
    system,
    alertId,
    'every device has it',
    ({ inside }) => inside.received === inside.devices,
  );
  say(`the last device has it ${((Date.now() - sentAtMs) / 1000).toFixed(1)} s after the send`);
  const probes = await untilProbes(system, alertId);

  say(`cancelling it: tocsin cancel ${alertId}`);
  await runCli(system, ['cancel', alertId, '--reason', 'Démonstration terminée']);
  const cancelled = await untilReport(
    system,
    alertId,
    'every device took it down',
    ({ inside }) => inside.takenDown === inside.shown,
  );
  return demoFigures({
    alertId,
    sentAtMs,
    before,
    after,
    cancelled,
    killedNode: victim,
    receivedAtKill: half.inside.received,
    probes,
  });
}

/** The devices' report as soon as it says so; the last one all the same when it never does. */
export async function untilReport(
  system: RunningSystem,
  alertId: string,
  what: string,
  isSo: (report: CrowdReport) => boolean,
): Promise<CrowdReport> {
  let last = await crowdReport(system, alertId);
  try {
    return await until(what, { timeoutMs: LAST_DEVICE_MS, everyMs: 20 }, async () => {
      last = await crowdReport(system, alertId);
      return isSo(last) ? last : undefined;
    });
  } catch (error) {
    if (error instanceof DemoError) return last;
    throw error;
  }
}

const Witnessed = z.object({
  probes: z.object({ received: z.int(), total: z.int() }),
});

/** The ingest's word on the probes, once all that the canaries have registered received the alert; else the last one. */
export async function untilProbes(
  system: RunningSystem,
  alertId: string,
): Promise<{ received: number; total: number }> {
  let last = await probesOf(system, alertId);
  try {
    return await until('the probes have it', { timeoutMs: 15_000, everyMs: 200 }, async () => {
      last = await probesOf(system, alertId);
      return last.total > 0 && last.received === last.total ? last : undefined;
    });
  } catch (error) {
    if (error instanceof DemoError) return last;
    throw error;
  }
}

async function probesOf(
  system: RunningSystem,
  alertId: string,
): Promise<{ received: number; total: number }> {
  const { probes } = await fetchJson(
    `${urlOf(system, `ingest-${system.sites[0]}`)}/v1/alerts/${alertId}`,
    {
      schema: Witnessed,
      timeoutMs: 5_000,
      token: readFileSync(join(system.stateDir, 'keys/pref06.key'), 'utf8').trim(),
    },
  );
  return probes;
}

/** The 32 hexadecimal digits that `tocsin send` prints. */
export function alertIdIn(printed: string): string {
  const id = /\b[0-9a-f]{32}\b/.exec(printed)?.[0];
  const parsed = AlertId.safeParse(id);
  if (!parsed.success) throw new DemoError(`tocsin send printed no alert id:\n${printed}`);
  return parsed.data;
}

/** Writes figures where scripts read them. */
export function writeReport(name: 'demo' | 'sites', figures: object): string {
  const folder = join(ROOT, 'reports');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
  return file;
}
