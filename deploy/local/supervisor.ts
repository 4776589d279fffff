import type { ProcessKind } from './layout.ts';
import { boundLog } from './log-file.ts';
import type { ManagedProcess, ProcessState } from './managed-process.ts';

/** The order of stopping: whoever feeds others goes before those it feeds. Started the other way round. */
const STOP_ORDER: readonly (readonly ProcessKind[])[] = [
  ['canary', 'edge'],
  ['ingest'],
  ['dispatcher'],
  ['sandbox'],
  ['nats'],
];
/** Each step's share of the 15 s that a stop may take. */
const STEP_MS = 2_900;
const LOG_CHECK_MS = 15_000;

/** One process as the control server shows it. */
export interface ProcessView {
  readonly name: string;
  readonly kind: ProcessKind;
  readonly site: string | null;
  readonly pid: number | null;
  readonly state: ProcessState;
  readonly url: string;
}

/** All processes of one system. */
export class Supervisor {
  readonly #processes = new Map<string, ManagedProcess>();
  readonly #logTimer: NodeJS.Timeout;

  constructor() {
    this.#logTimer = setInterval(() => {
      for (const { spec } of this.#processes.values()) boundLog(spec.logFile);
    }, LOG_CHECK_MS);
    this.#logTimer.unref();
  }

  add(process: ManagedProcess): void {
    this.#processes.set(process.spec.name, process);
  }

  all(): ManagedProcess[] {
    return [...this.#processes.values()];
  }

  get(name: string): ManagedProcess | undefined {
    return this.#processes.get(name);
  }

  views(): ProcessView[] {
    return this.all().map(({ spec, identity, state }) => ({
      name: spec.name,
      kind: spec.kind,
      site: spec.site ?? null,
      pid: identity?.pid ?? null,
      state,
      url: spec.url,
    }));
  }

  /** Ends everything, in order; within 15 s, by force where it has to be. */
  async stop(): Promise<void> {
    clearInterval(this.#logTimer);
    for (const kinds of STOP_ORDER) {
      const step = this.all().filter(({ spec }) => kinds.includes(spec.kind));
      await Promise.all(step.map((process) => process.stop(STEP_MS)));
    }
  }

  /** Ends everything at once, without waiting for anybody. */
  killAll(): void {
    for (const process of this.all()) process.kill('SIGKILL', true);
  }
}
