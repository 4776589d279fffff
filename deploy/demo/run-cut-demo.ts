import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../shared/receipt/progress.ts';
import { type CrowdReport, crowdReport, registerCrowd, setProviderPace } from './crowd.ts';
import { type CutFigures, cutFigures, type SiteDeed } from './cut-figures.ts';
import { DemoError } from './demo-error.ts';
import { demoFigures } from './figures.ts';
import { type RunningSystem, urlOf } from './find-system.ts';
import { waitForProofs } from './proofs.ts';
import { runCli } from './run-cli.ts';
import { alertIdIn, type DemoOptions, NICE, untilProbes, untilReport } from './run-demo.ts';
import { until } from './until.ts';

/** Time to catch up after healing, with a wide margin; the figures say what it was. */
const CATCH_UP_MS = 60_000;
/** How long nothing may move before what came after healing is counted. */
const QUIET_MS = 3_000;

type Env = Readonly<Record<string, string | undefined>>;

/** A system that is started to be cut has to be in namespaces, whatever the number of its sites. */
export function envForCut(env: Env): Env {
  return { ...env, SITES: env['SITES'] || '3', NETNS: env['NETNS'] || 'on' };
}

/**
 * The night of 14 July in Nice, with a whole site cut off when half of the devices have the alert: bus, ingest,
 * dispatcher, canary and edge. The alert is cancelled while it is away; then it is let in again. Restores what it changed.
 */
export async function runCutDemo(
  system: RunningSystem,
  site: string,
  options: DemoOptions,
): Promise<CutFigures> {
  const { say } = options;
  await checkCanBeCut(system, site);
  // What the demonstration itself asks, it asks the others.
  const others = system.sites.filter((name) => name !== site);
  const view = { ...system, sites: [...others, site] };
  await registerCrowd(view, options.devices, say);
  await waitForProofs(view, say);
  await setProviderPace(view, options.messagesPerSecond);
  try {
    return await raiseCutCancelHeal(view, site, say);
  } finally {
    await changeNetwork(view, site, 'heal');
    await setProviderPace(view, 0);
  }
}

const Sites = z.object({
  namespaces: z.boolean(),
  sites: z.array(z.object({ name: z.string(), cut: z.boolean() })),
});

async function checkCanBeCut(system: RunningSystem, site: string): Promise<void> {
  const control = urlOf(system, 'control');
  const { namespaces } = await fetchJson(`${control}/sites`, { schema: Sites, timeoutMs: 5_000 });
  if (!namespaces)
    throw new DemoError(
      'CUT needs sites in network namespaces, and this system runs as plain processes.\n' +
        'What to do: stop it and run as root: make run SITES=3 (it says why when it cannot)',
    );
  if (system.sites.length < 2 || !system.sites.includes(site))
    throw new DemoError(
      `CUT=${site}: there has to be such a site and another one; there are: ${system.sites.join(', ')}`,
    );
}

async function changeNetwork(
  system: RunningSystem,
  site: string,
  change: 'cut' | 'heal',
): Promise<string> {
  const url = `${urlOf(system, 'control')}/sites/${site}/${change}`;
  const schema = z.object({ done: z.string() });
  return (await fetchJson(url, { schema, timeoutMs: 10_000, json: {} })).done;
}

async function raiseCutCancelHeal(
  system: RunningSystem,
  site: string,
  say: (line: string) => void,
): Promise<CutFigures> {
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
  say(`cutting off site ${site}: ${await changeNetwork(system, site, 'cut')}`);
  const cutAtMs = Date.now();
  const has = `${half.inside.received} of ${half.inside.devices} devices have the alert`;
  say(`site ${site} is cut off: ${has}`);
  await untilReport(
    system,
    alertId,
    'every device has it',
    ({ inside }) => inside.received === inside.devices,
  );
  say(`the last device has it ${((Date.now() - sentAtMs) / 1000).toFixed(1)} s after the send`);
  const after = await untilQuiet(system, alertId);
  const probes = await untilProbes(system, alertId);

  say(`cancelling it while site ${site} is away: tocsin cancel ${alertId}`);
  const printed = await runCli(system, ['cancel', alertId, '--reason', 'Démonstration terminée']);
  const cancelId = alertIdIn(printed.replaceAll(alertId, ''));
  const cancelled = await untilReport(
    system,
    alertId,
    'every device took it down',
    ({ inside }) => inside.takenDown === inside.shown,
  );
  await untilQuiet(system, cancelId);
  const alertBefore = await crowdReport(system, alertId);
  const cancelBefore = await crowdReport(system, cancelId);

  say(`healing: ${await changeNetwork(system, site, 'heal')}`);
  const healedAtMs = Date.now();
  await setProviderPace(system, 0);
  const caughtUp = await untilCaughtUp(system, site, [alertId, cancelId]);
  const caughtUpAfterMs = caughtUp ? Date.now() - healedAtMs : null;
  say(caughtUp ? `site ${site} has caught up` : `site ${site} has not caught up in time`);
  await untilQuiet(system, alertId);
  const figures = demoFigures({
    alertId,
    sentAtMs,
    before,
    after,
    cancelled,
    killedNode: site,
    receivedAtKill: half.inside.received,
    probes,
  });
  const facts = {
    cutSite: site,
    cancelId,
    cutForMs: healedAtMs - cutAtMs,
    caughtUpAfterMs,
    alertBySite: await deeds(system, alertId),
    cancelBySite: await deeds(system, cancelId),
  };
  return cutFigures(figures, facts, {
    alertBefore,
    cancelBefore,
    alertAfter: await crowdReport(system, alertId),
    cancelAfter: await crowdReport(system, cancelId),
  });
}

function progressAt(system: RunningSystem, site: string, id: string): Promise<DispatchProgress> {
  return fetchJson(`${urlOf(system, `dispatcher-${site}`)}/v1/alerts/${id}/progress`, {
    schema: DispatchProgress,
    timeoutMs: 5_000,
    token: system.internalToken,
  });
}

/** True once the site's journal holds both and it sends neither. */
async function untilCaughtUp(
  system: RunningSystem,
  site: string,
  ids: readonly string[],
): Promise<boolean> {
  const what = `site ${site} has caught up`;
  try {
    return await until(what, { timeoutMs: CATCH_UP_MS, everyMs: 100 }, async () => {
      const all = await Promise.all(ids.map((id) => progressAt(system, site, id))).catch(() => []);
      return all.length > 0 && all.every(({ state }) => state !== 'sending') ? true : undefined;
    });
  } catch (error) {
    if (error instanceof DemoError) return false;
    throw error;
  }
}

/** Resolves when the devices have received nothing of an alert for a while. */
async function untilQuiet(system: RunningSystem, id: string): Promise<CrowdReport> {
  let last = await crowdReport(system, id);
  let sinceMs = Date.now();
  return until('nothing more comes', { timeoutMs: CATCH_UP_MS, everyMs: 200 }, async () => {
    const report = await crowdReport(system, id);
    if (report.inside.acceptedMessages !== last.inside.acceptedMessages) sinceMs = Date.now();
    last = report;
    return Date.now() - sinceMs >= QUIET_MS ? report : undefined;
  });
}

async function deeds(system: RunningSystem, id: string): Promise<SiteDeed[]> {
  return Promise.all(
    [...system.sites].sort().map(async (site) => {
      try {
        const { state, lanes, transports } = await progressAt(system, site, id);
        const all = Object.values(transports);
        const accepted = all.reduce((sum, { counts }) => sum + counts.accepted, 0);
        return { site, state, lanes, accepted };
      } catch {
        return { site, state: 'unknown', lanes: [], accepted: 0 };
      }
    }),
  );
}
