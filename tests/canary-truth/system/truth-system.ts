import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import { filesOf, type Layout, layoutOf } from '../../../deploy/local/layout.ts';
import { findFreePortBase, isFree } from '../../../deploy/local/ports.ts';
import { waitFor } from '../../../deploy/local/wait-for.ts';
import { startPageReceiver } from '../../../deploy/monitoring/page-receiver.ts';
import { targetsOf } from '../../../deploy/monitoring/prometheus-config.ts';
import { startMonitoring } from '../../../deploy/monitoring/start-monitoring.ts';
import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { FaultSystem, withEnv } from '../../failover/harness/fault-system.ts';
import { busyAlerts, type Call } from '../calls.ts';
import { isWell, type Sample } from '../verdict.ts';
import { type Healthy, healthy, type ProviderCounts, readStats, type Watched } from './health.ts';
import { type MonitorProgram, monitorProgram } from './monitor-program.ts';
import { observe, readPaths } from './observe.ts';
import { type OutsideWatcher, startOutsideWatcher } from './outside-watcher.ts';
import { startWires, type Wires } from './wires.ts';

const PROMETHEUS_OFFSET = 94;
const ALERTMANAGER_OFFSET = 95;
const START_MS = 60_000;
const CLOSE_MS = 20_000;
/** The product's own: nothing is sped up. */
const CANARY = { PERIOD_SECONDS: '60', LIMIT_SECONDS: '10' };
/** Rules on age wait for so long before they judge a system that has just been started. */
const WATCHED_MS = 100_000;
const QUIET_LIMIT_MS = 240_000;
/** The rules that see by the age of a proof: without them nothing is called that answers and delivers nothing. */
const AGE_RULES =
  /^(NoProof|TransportUnproved|DispatcherUnproved|IngestUnproved|LaneUnproved|RouteUnproved|ReceiverSilent|CanarySilent|CanariesDisagree)$/;

/** The switches of each provider, as the sandbox's control takes them. */
export type ProviderSwitches = Readonly<
  Partial<Record<'fcm' | 'webPush' | 'unifiedPush', Readonly<Record<string, unknown>>>>
>;

export interface TruthSystemOptions {
  /** Take the rules on age out: breakages then have to be missed. */
  readonly withoutAgeRules?: boolean;
  readonly say?: (line: string) => void;
}

/**
 * Two whole sites of real processes, the stand-in of the providers, a real Prometheus and a real Alertmanager, a receiver
 * of pages and an outside watcher; every connection between processes can be cut.
 */
export class TruthSystem {
  readonly faults: FaultSystem;
  readonly wires: Wires;
  readonly watcher: OutsideWatcher;
  readonly prometheus: MonitorProgram;
  readonly alertmanager: MonitorProgram;
  readonly #layout: Layout;
  readonly #prometheusUrl: string;
  readonly #calls: Call[];
  readonly #cleanup: CleanupStack;
  readonly #startedMs: number;
  #wasQuiet = false;

  private constructor(parts: {
    faults: FaultSystem;
    wires: Wires;
    watcher: OutsideWatcher;
    layout: Layout;
    urls: { prometheusUrl: string; alertmanagerUrl: string };
    calls: Call[];
    cleanup: CleanupStack;
  }) {
    this.faults = parts.faults;
    this.wires = parts.wires;
    this.watcher = parts.watcher;
    this.prometheus = monitorProgram(parts.urls.prometheusUrl);
    this.alertmanager = monitorProgram(parts.urls.alertmanagerUrl);
    this.#layout = parts.layout;
    this.#prometheusUrl = parts.urls.prometheusUrl;
    this.#calls = parts.calls;
    this.#cleanup = parts.cleanup;
    this.#cleanup.add('Prometheus’ second life', this.prometheus.close);
    this.#cleanup.add('Alertmanager’s second life', this.alertmanager.close);
    this.#startedMs = Date.now();
  }

  static async start(options: TruthSystemOptions = {}): Promise<TruthSystem> {
    const cleanup = new CleanupStack(CLOSE_MS);
    try {
      return await TruthSystem.#start(options, cleanup);
    } catch (error) {
      await cleanup.close().catch(() => undefined);
      throw error;
    }
  }

  static async #start(options: TruthSystemOptions, cleanup: CleanupStack): Promise<TruthSystem> {
    const portBase = await freePortBase();
    const layout = layoutOf({ sites: 2, portBase, stateDir: '/' });
    const calls: Call[] = [];
    const pages = await startPageReceiver(0, ({ kind, ...call }) => {
      if (kind !== 'dead-man') calls.push({ ...call, kind });
    });
    cleanup.add('page receiver', pages.close);
    const watcher = await startOutsideWatcher((call) => calls.push(call));
    cleanup.add('outside watcher', watcher.close);
    const wires = await startWires(layout);
    cleanup.add('wires', wires.close);
    const faults = await FaultSystem.start({
      portBase,
      adjust: (spec) => {
        const canary = { ...CANARY, DEADMAN_URL: watcher.urlOf(spec.name) };
        const env = { ...spec.env, ...(spec.kind === 'canary' ? canary : {}) };
        return wires.adjust({ ...spec, env });
      },
    });
    cleanup.add('system', faults.close);
    const folder = join(faults.stateDir, 'monitoring');
    const urls = await startMonitoring({
      folder,
      targets: targetsOf(faults.urls),
      receivers: { ...pages.receivers, deadMan: watcher.urlOf('watchdog') },
      prometheusPort: portBase + PROMETHEUS_OFFSET,
      alertmanagerPort: portBase + ALERTMANAGER_OFFSET,
    });
    cleanup.add('monitoring', urls.close);
    const system = new TruthSystem({ faults, wires, watcher, layout, urls, calls, cleanup });
    if (options.withoutAgeRules) takeAgeRulesOut(folder, system.prometheus.pid());
    return system;
  }

  /** Everything that anybody was told so far. */
  calls(): readonly Call[] {
    return this.#calls;
  }

  observe(): Promise<Omit<Sample, 'seconds'>> {
    return observe({ canaries: this.#canaries(), prometheus: this.#prometheusUrl });
  }

  /** The paths that there are. */
  paths(): Promise<{ name: string; path: CanaryPath }[]> {
    const url = urlOf(this.faults, 'canary-a');
    return until('a canary’s paths', { timeoutMs: 30_000, everyMs: 500 }, async () =>
      readPaths(url).then(
        ({ paths }) => paths,
        () => undefined,
      ),
    );
  }

  health(before: ProviderCounts | undefined, now: ProviderCounts | undefined): Promise<Healthy> {
    return healthy(this.#watched(), before, now);
  }

  providerCounts(): Promise<ProviderCounts | undefined> {
    return readStats(urlOf(this.faults, 'sandbox'));
  }

  /** Waits until every canary has proved every path and its page says nothing bad. Rejects when that does not come. */
  untilProved(timeoutMs = QUIET_LIMIT_MS): Promise<true> {
    const isProved = async () => {
      const reports = await Promise.all(
        Object.values(this.#canaries()).map((url) => readPaths(url).catch(() => undefined)),
      );
      return reports.every(
        (report) => report?.paths.length && report.paths.every(({ state }) => state === 'proved'),
      );
    };
    const what = 'every path proved, and nothing bad said';
    return until(what, { timeoutMs, everyMs: 1_000 }, async () => {
      // A page costs more than the list of paths, and several systems share the machine.
      if (!(await isProved())) return undefined;
      return isWell(await this.observe(), this.sites()) ? true : undefined;
    });
  }

  /**
   * Waits for what has to be before anything is broken: all proved, rules that judge, and none of these pages open. Rejects
   * when somebody was called before anything was broken at all: that is a false alarm.
   */
  async untilQuiet(alerts: readonly string[]): Promise<void> {
    await this.untilProved();
    const isQuiet = async () => {
      const busy = busyAlerts(this.#calls, Date.now());
      const isWatched = Date.now() - this.#startedMs > WATCHED_MS;
      return isWatched && !alerts.some((alert) => busy.has(alert)) ? true : undefined;
    };
    await until('nobody paged', { timeoutMs: QUIET_LIMIT_MS, everyMs: 500 }, isQuiet);
    const [called] = this.#calls.filter(({ kind }) => kind === 'page');
    if (called !== undefined && !this.#wasQuiet)
      throw new Error(`a false alarm before anything was broken: ${called.alert}`);
    this.#wasQuiet = true;
  }

  /** Sets the switches of the providers; what is not named is off. */
  async providers(faults: ProviderSwitches): Promise<void> {
    const url = `${urlOf(this.faults, 'sandbox')}/faults`;
    await fetchJson(url, { schema: z.unknown(), timeoutMs: 5_000, method: 'PUT', json: faults });
  }

  /** Starts processes and waits until they run. A broken one may never be ready, and nothing is said by it. */
  async start(...names: string[]): Promise<void> {
    await Promise.all(
      names.map((name) => {
        this.faults.launch(name);
        const process = this.faults.process(name);
        return waitFor(process, process.spec.startupUrl, { timeoutMs: START_MS });
      }),
    );
  }

  /** Ends a process and starts it with other settings. */
  async restart(name: string, env: Readonly<Record<string, string>>): Promise<void> {
    await this.faults.replace(name, withEnv(env));
    await this.start(name);
  }

  /** A file of the state folder. */
  files() {
    return filesOf(this.faults.stateDir);
  }

  /** Has a bus read its configuration again. */
  reloadBus(site: string): void {
    this.faults.process(`nats-${site}`).kill('SIGHUP', false);
  }

  readonly close = (): Promise<void> => this.#cleanup.close();

  #canaries(): Record<string, string> {
    return Object.fromEntries(
      this.faults.sites.map((site) => [site, urlOf(this.faults, `canary-${site}`)]),
    );
  }

  #watched(): Watched[] {
    const names = this.faults.names('ingest', 'dispatcher', 'edge', 'canary', 'sandbox', 'nats');
    return names.map((name) => {
      const isBus = name.startsWith('nats-');
      const url = urlOf(this.faults, isBus ? name.replace('nats-', 'nats-monitor-') : name);
      const [live, ready] = isBus ? ['/healthz', '/healthz'] : ['/live', '/ready'];
      const pid = this.faults.isRunning(name) ? this.faults.pid(name) : undefined;
      return { name, live: `${url}${live}`, ready: `${url}${ready}`, pid };
    });
  }

  /** The sites of the layout. */
  sites(): readonly string[] {
    return this.#layout.sites.map(({ name }) => name);
  }
}

async function freePortBase(): Promise<number> {
  for (;;) {
    const portBase = await findFreePortBase(2);
    const own = [PROMETHEUS_OFFSET, ALERTMANAGER_OFFSET].map((offset) => isFree(portBase + offset));
    if ((await Promise.all(own)).every(Boolean)) return portBase;
  }
}

/** Prometheus reads the rules again from a folder in which those on age are missing. */
function takeAgeRulesOut(folder: string, pid: number): void {
  const file = join(folder, 'prometheus.yml');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { rule_files: string[] };
  const rules = join(import.meta.dirname, '../../../deploy/monitoring/rules');
  const without = join(folder, 'rules');
  mkdirSync(without);
  for (const name of readdirSync(rules)) {
    const parts = readFileSync(join(rules, name), 'utf8').split(/^(?=\s+- (?:alert|name): )/m);
    const kept = parts.filter(
      (part) => !AGE_RULES.test(/^\s+- alert: (\w+)/.exec(part)?.[1] ?? ''),
    );
    writeFileSync(join(without, name), kept.join(''));
  }
  writeFileSync(file, JSON.stringify({ ...config, rule_files: [join(without, '*.yml')] }));
  process.kill(pid, 'SIGHUP');
}
