import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningSystem } from '../../../deploy/demo/find-system.ts';
import {
  filesOf,
  type Layout,
  layoutOf,
  type ProcessKind,
  SERVICES,
  type ServiceKind,
} from '../../../deploy/local/layout.ts';
import { ManagedProcess, type ProcessSpec } from '../../../deploy/local/managed-process.ts';
import { findNatsServer } from '../../../deploy/local/nats-server.ts';
import { findFreePortBase } from '../../../deploy/local/ports.ts';
import { natsSpec, sandboxSpec, serviceSpec } from '../../../deploy/local/process-specs.ts';
import { prepareState } from '../../../deploy/local/state.ts';
import { makeStateDir } from '../../../deploy/local/state-file.ts';
import { urlsOf } from '../../../deploy/local/urls.ts';
import { waitFor } from '../../../deploy/local/wait-for.ts';
import { BIN_DIR } from '../../support/whole-system.ts';

export type AdjustSpec = (spec: ProcessSpec) => ProcessSpec;

export interface FaultSystemOptions {
  readonly services?: readonly ServiceKind[];
  /** Changes how a process is started: its environment, mostly. */
  readonly adjust?: AdjustSpec;
  /** Called when keys and settings are there and nothing runs. */
  readonly prepare?: (layout: Layout) => void;
  /** Ports that an `adjust` has to know beforehand. */
  readonly portBase?: number;
  /** What is to be done when all of it has ended and before its folder is deleted: unmount disks, close proxies. */
  readonly cleanUp?: () => Promise<void> | void;
}

/** The world outside, then what has to be there first for a quiet start; a cold start takes any order. */
const START_ORDER: readonly ProcessKind[] = [
  'sandbox',
  'nats',
  'dispatcher',
  'ingest',
  'edge',
  'canary',
];
/** Canaries prove each path in this time: fast enough for a test, slow enough for two cores. */
const CANARY = { PERIOD_SECONDS: '8', LIMIT_SECONDS: '6' };
const START_MS = 60_000;

/** Two sites of real processes, each of which a test may start, freeze, kill and start again otherwise. */
export class FaultSystem implements RunningSystem {
  readonly layout: Layout;
  readonly urls: Readonly<Record<string, string>>;
  readonly stateDir: string;
  readonly sites = ['a', 'b'] as const;
  readonly #processes = new Map<string, ManagedProcess>();
  readonly #cleanUp: FaultSystemOptions['cleanUp'];
  #isClosed = false;

  private constructor(
    layout: Layout,
    specs: readonly ProcessSpec[],
    cleanUp: FaultSystemOptions['cleanUp'],
  ) {
    this.#cleanUp = cleanUp;
    this.layout = layout;
    this.urls = urlsOf(layout);
    this.stateDir = layout.stateDir;
    for (const spec of specs) this.#processes.set(spec.name, managed(spec));
  }

  static async start(options: FaultSystemOptions = {}): Promise<FaultSystem> {
    const stateDir = mkdtempSync(join(tmpdir(), 'tocsin-faults-'));
    const portBase = options.portBase ?? (await findFreePortBase(2));
    const layout = layoutOf({ sites: 2, portBase, stateDir });
    makeStateDir(stateDir);
    prepareState(layout, Date.now());
    options.prepare?.(layout);
    const say = () => undefined;
    const nats = await findNatsServer({ env: process.env, binDir: BIN_DIR, stateDir, say });
    const adjust = options.adjust ?? ((spec: ProcessSpec) => spec);
    const extra = { canary: CANARY };
    const specs = [
      sandboxSpec(layout, extra),
      ...layout.sites.flatMap((site) => [
        natsSpec(layout, site, nats.path),
        ...(options.services ?? SERVICES).map((kind) => serviceSpec(layout, site, kind, extra)),
      ]),
    ].map(adjust);
    const system = new FaultSystem(layout, specs, options.cleanUp);
    try {
      await system.startAll(START_ORDER);
      return system;
    } catch (error) {
      await system.close();
      throw error;
    }
  }

  get internalToken(): string {
    return readFileSync(filesOf(this.stateDir).internalToken, 'utf8').trim();
  }

  names(...kinds: readonly ProcessKind[]): string[] {
    const all = [...this.#processes.values()].map(({ spec }) => spec);
    return kinds.flatMap((kind) =>
      all.filter((spec) => spec.kind === kind).map(({ name }) => name),
    );
  }

  /** Starts every process of these kinds, kind after kind, each when the one before is ready. */
  async startAll(kinds: readonly ProcessKind[]): Promise<void> {
    for (const kind of kinds) await this.start(...this.names(kind));
  }

  /** Starts processes and resolves when they take traffic; canaries when they have started. */
  async start(...names: string[]): Promise<void> {
    for (const name of names) this.launch(name);
    await this.ready(...names);
  }

  /** Starts a process and waits for nothing. */
  launch(name: string): void {
    // A run that was given up may still be on its way to its end.
    if (this.#isClosed) throw new Error(`the system of ${name} is closed`);
    this.process(name).start();
  }

  async ready(...names: string[]): Promise<void> {
    await Promise.all(
      names.map((name) => {
        const process = this.process(name);
        const { kind, readyUrl, startupUrl } = process.spec;
        return waitFor(process, kind === 'canary' ? startupUrl : readyUrl, { timeoutMs: START_MS });
      }),
    );
  }

  /** kill -9; resolves when they are gone. They stay down. */
  async kill(...names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        const process = this.process(name);
        if (process.identity === undefined) return;
        process.kill('SIGKILL', false);
        await process.ended();
      }),
    );
  }

  /** `SIGSTOP` freezes a process with all it has open, `SIGCONT` thaws it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT', ...names: string[]): void {
    for (const name of names) this.process(name).kill(signal, false);
  }

  /** The process that has the name from now on is started otherwise; the one that ran is killed. */
  async replace(name: string, adjust: AdjustSpec): Promise<void> {
    await this.kill(name);
    this.#processes.set(name, managed(adjust(this.process(name).spec)));
  }

  isRunning(name: string): boolean {
    return this.process(name).identity !== undefined;
  }

  pid(name: string): number {
    const pid = this.process(name).identity?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  process(name: string): ManagedProcess {
    const process = this.#processes.get(name);
    if (process === undefined) throw new Error(`there is no process ${name}`);
    return process;
  }

  /** A file of a service's data folder. */
  dataFile(name: string, file: string): string {
    return join(filesOf(this.stateDir).dataDir(name), file);
  }

  readonly close = async (): Promise<void> => {
    this.#isClosed = true;
    await this.kill(...this.#processes.keys());
    await this.#cleanUp?.();
    if (existsSync(this.stateDir)) rmSync(this.stateDir, { recursive: true, force: true });
  };
}

function managed(spec: ProcessSpec): ManagedProcess {
  mkdirSync(spec.cwd, { recursive: true });
  return new ManagedProcess(spec, { say: () => undefined, onChange: () => undefined });
}

/** An `adjust` that adds settings to some processes. */
export function withEnv(
  env: Readonly<Record<string, string>>,
  isFor: (spec: ProcessSpec) => boolean = () => true,
): AdjustSpec {
  return (spec) => (isFor(spec) ? { ...spec, env: { ...spec.env, ...env } } : spec);
}
