import type { SiteBus } from '../../shared/bus/site-bus.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { Absence } from './absence.ts';
import type { Outcome } from './transports/transport.ts';

const BEAT_MS = 200;
/** After this long the node sends anyway: all others may be dead. */
const WAIT_MS = 2_000;
/** Reasons of `unavailable` by which a send never came as far as its provider. */
const NOT_REACHED: ReadonlySet<string> = new Set(['connection', 'timeout', 'no-token']);

/** Before a node that was away sends on, it asks what ended meanwhile. */
export interface AskFirst {
  /** Asked right before each send: this alert may be over without this node knowing. */
  readonly mayHaveMissed: () => boolean;
  /** Calls back once it is known, or time is over. */
  readonly whenKnown: (goOn: () => void) => void;
  readonly sendEnded: (outcome: Outcome) => void;
  /** Something came from that peer. */
  readonly heard: (name: string) => void;
}

/** For a node that is alone by design, and for tests: there is nobody who could know more. */
export const NOBODY_TO_ASK: AskFirst = {
  mayHaveMissed: () => false,
  whenKnown: (goOn) => goOn(),
  sendEnded: () => undefined,
  heard: () => undefined,
};

/**
 * Asks every peer and every bus; each promise resolves, never rejects, when all that it had then is read, when it can't
 * be reached, or when the signal aborts.
 */
export type AskAll = (signal: AbortSignal) => readonly Promise<void>[];

interface Deps {
  readonly peers: readonly string[];
  readonly buses: readonly Pick<SiteBus, 'site' | 'ready'>[];
  /** How long sends were held back (ms), and whether everybody had answered by then. */
  readonly onAsked: (heldMs: number, how: 'answered' | 'time-over') => void;
}

export interface StartedAskFirst extends AskFirst {
  /** From now on there is somebody to ask. */
  readonly begin: (ask: AskAll) => void;
  readonly close: () => void;
}

/** Starts in doubt, until it has begun and asked: a node that was down has missed as much as one that was frozen. */
export function startAskFirst({ peers, buses, onAsked }: Deps): StartedAskFirst {
  const now = () => performance.now();
  const names = [...peers, ...buses.map(({ site }) => busName(site))];
  const absence = new Absence(names, now());
  const stop = new AbortController();
  let waiting: (() => void)[] = [];
  let askAll: AskAll | undefined;
  let lastMs = now();
  let lastWallMs = Date.now();

  const inquire = async (round: number, ask: AskAll): Promise<void> => {
    const sinceMs = now();
    const over = AbortSignal.any([AbortSignal.timeout(WAIT_MS), stop.signal]);
    const answers = Promise.all(ask(over)).then(() => 'answered' as const);
    const how = await Promise.race([
      answers,
      sleep(WAIT_MS, over).then(() => 'time-over' as const),
    ]);
    absence.asked(round, how, now());
    if (absence.mayHaveMissed) return;
    onAsked(now() - sinceMs, how);
    const told = waiting;
    waiting = [];
    for (const goOn of told) goOn();
  };
  const askIn = (round: number | undefined): void => {
    if (round !== undefined && askAll) void inquire(round, askAll);
  };
  /** Timers stand still with the process, so whoever comes first after it looks at the clocks. */
  const look = (): void => {
    const atMs = now();
    if (atMs - lastMs < BEAT_MS) return;
    const wallMs = Date.now();
    // A machine that was suspended shows it by the wall clock alone.
    const gapMs = Math.max(atMs - lastMs, wallMs - lastWallMs);
    lastMs = atMs;
    lastWallMs = wallMs;
    askIn(absence.stoodStill(gapMs, atMs));
  };
  const beat = setInterval(() => {
    look();
    for (const bus of buses) if (bus.ready) askIn(absence.heard(busName(bus.site), now()));
  }, BEAT_MS);
  absence.started();

  return {
    mayHaveMissed: () => {
      look();
      return absence.mayHaveMissed;
    },
    whenKnown: (goOn) => {
      if (absence.mayHaveMissed) waiting.push(goOn);
      else goOn();
    },
    sendEnded: (outcome) => {
      const hasReached = outcome.kind !== 'unavailable' || !NOT_REACHED.has(outcome.reason);
      askIn(absence.sendEnded(hasReached, now()));
    },
    heard: (name) => askIn(absence.heard(name, now())),
    begin: (ask) => {
      askAll = ask;
      askIn(absence.started());
    },
    close: () => {
      clearInterval(beat);
      stop.abort();
    },
  };
}

function busName(site: string): string {
  return `bus ${site}`;
}
