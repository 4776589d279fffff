import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type CrowdReport, crowdReport } from '../../deploy/demo/crowd.ts';
import { type RunningSystem, urlOf } from '../../deploy/demo/find-system.ts';
import { killForGood, startAgain } from '../../deploy/demo/kill.ts';
import { until } from '../../deploy/demo/until.ts';
import type { ServiceKind } from '../../deploy/local/layout.ts';
import { findFreePortBase } from '../../deploy/local/ports.ts';
import type { ExtraEnv } from '../../deploy/local/process-specs.ts';
import { startSystem } from '../../deploy/local/start-system.ts';
import { fillPlaceholders } from '../../shared/alert/placeholders.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';

/** Copies of nats-server that `make test` has got before the first test. */
export const BIN_DIR = join(resolve(process.env['STATE_DIR'] || '.tocsin'), 'bin');

/** A system of real processes for tests: two sites (or three) and the sandbox, on free ports, in a folder of its own. */
export interface WholeSystem extends RunningSystem {
  readonly portBase: number;
  /** Deletes the folder; call it after `close`. */
  readonly destroy: () => void;
}

export interface WholeSystemOptions {
  readonly services?: readonly ServiceKind[];
  readonly extraEnv?: ExtraEnv;
  /** Three sites, each in a network namespace; default two plain ones. */
  readonly inNamespaces?: boolean;
  /** Called with the state folder before anything starts in it. */
  readonly prepare?: (stateDir: string) => void;
}

export async function startWholeSystem(options: WholeSystemOptions = {}): Promise<WholeSystem> {
  const { prepare, inNamespaces = false, ...rest } = options;
  const sites = inNamespaces ? 3 : 2;
  const stateDir = mkdtempSync(join(tmpdir(), 'tocsin-whole-'));
  const portBase = await findFreePortBase(sites);
  prepare?.(stateDir);
  const system = await startSystem({
    sites,
    portBase,
    stateDir,
    binDir: BIN_DIR,
    netns: inNamespaces ? 'on' : 'off',
    ...rest,
  });
  return {
    urls: system.urls,
    stateDir,
    portBase,
    sites: system.layout.sites.map(({ name }) => name),
    internalToken: readSecret(stateDir, 'secrets/internal-token'),
    close: system.close,
    destroy: () => rmSync(stateDir, { recursive: true, force: true }),
  };
}

export function readSecret(stateDir: string, file: string): string {
  return readFileSync(join(stateDir, file), 'utf8').trim();
}

const Processes = z.array(z.object({ name: z.string(), pid: z.int().nullable() }));

/** kill -9 of some processes; resolves when they are gone. They stay down until `revive`. */
export async function killHard(system: RunningSystem, ...names: string[]): Promise<void> {
  await Promise.all(names.map((name) => killForGood(system, name)));
  await until(`${names.join()} gone`, { timeoutMs: 5_000, everyMs: 20 }, async () => {
    const url = `${urlOf(system, 'control')}/processes`;
    const processes = await fetchJson(url, { schema: Processes, timeoutMs: 2_000 });
    const alive = processes.filter(({ name, pid }) => names.includes(name) && pid !== null);
    return alive.length === 0 ? true : undefined;
  });
}

/** Starts services again; resolves when they take traffic. */
export async function revive(system: RunningSystem, ...names: string[]): Promise<void> {
  await Promise.all(names.map((name) => startAgain(system, name)));
  await Promise.all(names.map((name) => untilReady(system, name)));
}

export function untilReady(system: RunningSystem, name: string): Promise<true> {
  const url = name.startsWith('nats-')
    ? `${urlOf(system, name.replace('nats-', 'nats-monitor-'))}/healthz`
    : `${urlOf(system, name)}/ready`;
  return until(`${name} is ready`, { timeoutMs: 60_000, everyMs: 100 }, async () => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    return answer?.ok ? true : undefined;
  });
}

/** An example of deploy/examples as it would be sent now. */
export function exampleAlert(name: string): Record<string, unknown> {
  const file = join(import.meta.dirname, '../../deploy/examples', `${name}.json`);
  const random = Math.random().toString(36).slice(2, 10);
  const facts = { nowMs: Date.now(), offsetMinutes: 0, random };
  return z
    .record(z.string(), z.unknown())
    .parse(fillPlaceholders(JSON.parse(readFileSync(file, 'utf8')), facts));
}

/** Waits for what the crowd's devices say about an alert; fails with their last report when it does not come. */
export async function untilCrowd(
  system: RunningSystem,
  alertId: string,
  isSo: (report: CrowdReport) => boolean,
  timeoutMs = 30_000,
): Promise<CrowdReport> {
  let last: CrowdReport | undefined;
  try {
    return await until('the crowd', { timeoutMs, everyMs: 50 }, async () => {
      last = await crowdReport(system, alertId);
      return isSo(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`not within ${timeoutMs} ms; last: ${JSON.stringify(last, null, 1)}`, {
      cause: error,
    });
  }
}

/** Sets the sandbox's switches; what is not named is off. */
export async function setFaults(
  system: RunningSystem,
  faults: {
    fcm?: Record<string, unknown>;
    webPush?: Record<string, unknown>;
    unifiedPush?: Record<string, unknown>;
  },
): Promise<void> {
  await fetchJson(`${urlOf(system, 'sandbox')}/faults`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    method: 'PUT',
    json: faults,
  });
}
