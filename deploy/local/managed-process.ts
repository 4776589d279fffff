import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync } from 'node:fs';
import { backoffMs } from '../../shared/time/backoff.ts';
import type { ProcessKind } from './layout.ts';
import { logBytes, openLog, tailOfLog } from './log-file.ts';
import { identify, type ProcessIdentity, sendSignal } from './process-identity.ts';

/** How one program is started and known. */
export interface ProcessSpec {
  readonly name: string;
  readonly kind: ProcessKind;
  readonly site?: string;
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Where people or other programs reach it. */
  readonly url: string;
  /** Answers 200 once it has started, and once it takes traffic. */
  readonly startupUrl: string;
  readonly readyUrl: string;
}

/** `held`: ended on purpose, stays down until it is started. `waiting`: died, will be started again. */
export type ProcessState = 'stopped' | 'running' | 'waiting' | 'held';

const RESTART = { firstMs: 5_000, maxMs: 60_000 };
/** A process that lived this long starts its backoff from the beginning. */
const STEADY_MS = 60_000;
const SETPRIV = '/usr/bin/setpriv';

interface Deps {
  readonly say: (line: string) => void;
  /** Called after each start and end, to note what runs. */
  readonly onChange: () => void;
}

/** One child process over its lives: started, watched, started again when it dies, ended. */
export class ManagedProcess {
  readonly spec: ProcessSpec;
  readonly #deps: Deps;
  #state: ProcessState = 'stopped';
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #logFrom = 0;
  #startedMs = 0;
  #deaths = 0;
  #keepAlive = false;
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;
  #lastExit = '';

  constructor(spec: ProcessSpec, deps: Deps) {
    this.spec = spec;
    this.#deps = deps;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** While it runs. */
  get identity(): ProcessIdentity | undefined {
    return this.#identity;
  }

  /** How it ended last, in words; empty when it never did. */
  get lastExit(): string {
    return this.#lastExit;
  }

  /** From now on a death is followed by a new start. Before, it is an error of the start that somebody waits for. */
  keepAlive(): void {
    this.#keepAlive = true;
    if (this.#state === 'stopped') this.#died();
  }

  /** The last lines of its log since it was started. */
  tail(lines: number): string[] {
    return tailOfLog(this.spec.logFile, lines, this.#logFrom);
  }

  start(): void {
    if (this.#child !== undefined) return;
    this.#isStopping = false;
    clearTimeout(this.#timer);
    const { file, args, env, cwd, logFile } = this.spec;
    const log = openLog(logFile);
    this.#logFrom = logBytes(logFile);
    // A group of its own: Ctrl-C in the terminal reaches the launcher alone, which then ends its children in order.
    const [command = file, ...rest] = withParent([file, ...args]);
    const child = spawn(command, rest, { cwd, env, stdio: ['pipe', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    this.#state = 'running';
    this.#startedMs = Date.now();
    this.#identity =
      child.pid === undefined ? undefined : (identify(child.pid) ?? { pid: child.pid });
    child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) =>
        resolve(this.#onEnd(child, `could not be started: ${error.message}`)),
      );
      child.once('exit', (code, signal) =>
        resolve(
          this.#onEnd(
            child,
            signal === null ? `ended with code ${code}` : `was ended by ${signal}`,
          ),
        ),
      );
    });
    this.#deps.onChange();
  }

  /** Sends a signal. `hold`: it is not started again until somebody does. False when it does not run. */
  kill(signal: NodeJS.Signals, hold: boolean): boolean {
    if (hold) {
      clearTimeout(this.#timer);
      this.#state = 'held';
    }
    const pid = this.#child?.pid;
    return pid !== undefined && sendSignal(pid, signal);
  }

  /** Ends it: TERM, then KILL after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#keepAlive = false;
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child?.pid === undefined) return;
    const { pid } = child;
    sendSignal(pid, 'SIGTERM');
    const force = setTimeout(() => {
      this.#deps.say(`${this.spec.name} did not stop within ${graceMs / 1000} s: ended by force`);
      sendSignal(pid, 'SIGKILL');
    }, graceMs);
    await this.#ended;
    clearTimeout(force);
  }

  /** Ends it and starts it again at once. One that is held, or that does not run, stays as it is. */
  async restart(graceMs: number): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || this.#state === 'held') return;
    const { pid } = child;
    const keepAlive = this.#keepAlive;
    this.#keepAlive = false;
    sendSignal(pid, 'SIGTERM');
    const force = setTimeout(() => sendSignal(pid, 'SIGKILL'), graceMs);
    await this.#ended;
    clearTimeout(force);
    // Somebody may have stopped or held it meanwhile.
    if (this.#isStopping || this.#state !== 'stopped') return;
    this.start();
    this.#keepAlive = keepAlive;
  }

  #onEnd(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#identity = undefined;
    this.#lastExit = how;
    if (this.#state === 'running') this.#state = 'stopped';
    this.#deps.onChange();
    if (this.#keepAlive && this.#state !== 'held') this.#died();
    else if (this.#state === 'held')
      this.#deps.say(`${this.spec.name} ${how}; it stays down until it is started`);
  }

  #died(): void {
    this.#deaths = Date.now() - this.#startedMs > STEADY_MS ? 1 : this.#deaths + 1;
    const waitMs = backoffMs(this.#deaths, RESTART, 1);
    this.#state = 'waiting';
    this.#deps.say(
      `${this.spec.name} ${this.#lastExit}; starting it again in ${waitMs / 1000} s (log: ${this.spec.logFile})`,
    );
    this.#timer = setTimeout(() => {
      this.start();
      this.#deps.say(`${this.spec.name} started again (process ${this.#child?.pid})`);
    }, waitMs);
  }

  /** Resolves when the present life has ended. */
  async ended(): Promise<void> {
    await this.#ended;
  }
}

/** Asks the kernel to end the child when we are killed: `setpriv` sets it up and becomes the child, same pid. */
function withParent(command: readonly string[]): readonly string[] {
  return existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'TERM', '--', ...command] : command;
}
