import { setTimeout as delay } from 'node:timers/promises';
import type { Breakage } from './breakage.ts';
import { busyAlerts, takenBackAtMs } from './calls.ts';
import { type Playing, play, reasonOf } from './play.ts';
import type { LogLine } from './run-log.ts';
import { TruthSystem, type TruthSystemOptions } from './system/truth-system.ts';

/** The rules of most pages let go in that time. */
const TAKEN_BACK_MS = 120_000;

interface Deps {
  readonly say: (line: string) => void;
  readonly onLine: (line: LogLine) => void;
  readonly options: TruthSystemOptions;
}

/** Two systems that look for free ports at once may find the same. */
let starting: Promise<unknown> = Promise.resolve();

function startInTurn(options: TruthSystemOptions): Promise<TruthSystem> {
  const started = starting.then(() => TruthSystem.start(options));
  starting = started.catch(() => undefined);
  return started;
}

/** Plays breakages of the queue on a system of its own until none is left. */
export class Worker {
  readonly #queue: Breakage[];
  readonly #deps: Deps;
  readonly #name: string;
  #system: TruthSystem | undefined;
  #unsettled: Playing[] = [];
  #isClosed = false;

  constructor(name: string, queue: Breakage[], deps: Deps) {
    this.#name = name;
    this.#queue = queue;
    this.#deps = deps;
  }

  async run(): Promise<void> {
    for (let next = this.#take(); next !== undefined && !this.#isClosed; next = this.#take()) {
      this.#settle();
      this.#say(`${next.name}: ${next.title}`);
      try {
        this.#system ??= await startInTurn(this.#deps.options);
        const playing = await play(next, this.#system);
        this.#unsettled.push(playing);
        this.#deps.onLine({ name: next.name, played: playing.played });
        this.#settle();
        this.#say(`${next.name}: ${inOneLine(playing)}`);
      } catch (error) {
        if (this.#isClosed) return;
        this.#say(`${next.name} could not be played: ${reasonOf(error)}`);
        this.#deps.onLine({ name: next.name, problem: reasonOf(error) });
        await this.#drop();
      }
    }
    await this.#lastTakenBack();
    await this.close();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#drop();
  }

  /** The first one whose alerts are not busy from an earlier breakage; else the first. */
  #take(): Breakage | undefined {
    const alerts = busyAlerts(this.#system?.calls() ?? [], Date.now());
    const at = this.#queue.findIndex(
      ({ expected }) => !expected.alerts.some((alert) => alerts.has(alert)),
    );
    return this.#queue.splice(Math.max(0, at), 1)[0];
  }

  /** Fills in when pages were taken back, some of them long after: rules look back for up to ten minutes. */
  #settle(): void {
    const calls = this.#system?.calls() ?? [];
    this.#unsettled = this.#unsettled.filter(({ played, fromMs, healedMs }) => {
      const backMs = takenBackAtMs(calls, { fromMs, toMs: healedMs });
      if (backMs === undefined) return true;
      const takenBackSeconds = Math.max(0, Math.round((backMs - healedMs) / 1000));
      this.#deps.onLine({ name: played.name, played: { ...played, takenBackSeconds } });
      return false;
    });
  }

  /** What the last breakages called is taken back a minute or two after them. */
  async #lastTakenBack(): Promise<void> {
    const endMs = Date.now() + TAKEN_BACK_MS;
    while (this.#unsettled.length > 0 && Date.now() < endMs && !this.#isClosed) {
      await delay(1_000);
      this.#settle();
    }
  }

  async #drop(): Promise<void> {
    this.#settle();
    this.#unsettled = [];
    const system = this.#system;
    this.#system = undefined;
    await system?.close().catch((error: unknown) => this.#say(`did not end: ${reasonOf(error)}`));
  }

  #say(line: string): void {
    this.#deps.say(`${new Date().toISOString().slice(11, 19)} ${this.#name} ${line}`);
  }
}

function inOneLine({ played }: Playing): string {
  const { detectedSeconds, pagerSeconds, told, provedAgainSeconds, pageAtEnd } = played;
  const bad = [...played.falseOks.map((each) => `FALSE OK: ${each}`), ...played.falseAlarms];
  return (
    `seen after ${detectedSeconds ?? '–'} s, pager after ${pagerSeconds ?? '–'} s ` +
    `(${told.map(({ kind, alert, seconds }) => `${kind} ${alert} ${seconds} s`).join(', ') || 'nobody'}), ` +
    `proved again ${provedAgainSeconds ?? '–'} s after; “${pageAtEnd?.headline ?? ''}”${bad.map((each) => `\n  ${each}`).join('')}`
  );
}
