import type { Clock } from '../../../shared/time/clock.ts';
import type { Probe, ProbeEvents } from '../probes/probe.ts';

/** A probe that a drill can make deaf. */
export interface DeafableProbe extends Probe {
  /**
   * Closes the probe's connection and opens none for so long (ms), whoever asked for it and whether they live or not; 0:
   * opens it now. Asked again meanwhile, the last word counts. Resolves when the connection is closed, or is being opened.
   */
  readonly deafen: (forMs: number) => Promise<void>;
  /** When (by `now`) it hears again; undefined while it is not deaf. */
  readonly deafUntilMs: () => number | undefined;
}

interface DeafDeps {
  readonly now: Clock;
  /** Told when it becomes deaf (until when) and when it hears again. */
  readonly onChange: (probe: string, untilMs: number | undefined) => void;
}

/**
 * Wraps any kind of probe. Deaf is what a receiver that died is: the probe is closed and, later, started anew from what it
 * keeps on disk, so that its address stays the same. Outwards it is one and the same probe all the time.
 */
export function startDeafable(
  start: (events: ProbeEvents) => Probe,
  events: ProbeEvents,
  { now, onChange }: DeafDeps,
): DeafableProbe {
  const throughUs: ProbeEvents = {
    onPayload: (_inner, payload) => events.onPayload(probe, payload),
    onUndecryptable: () => events.onUndecryptable(probe),
    onSubscription: () => events.onSubscription(probe),
  };
  let inner = start(throughUs);
  const { name, transport, deviceId } = inner;
  let deafUntilMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  // Closing and opening take turns: a connection is never opened beside one that is still being closed.
  let turn: Promise<void> = Promise.resolve();

  const hear = () => {
    clearTimeout(timer);
    if (deafUntilMs === undefined || isClosed) return;
    deafUntilMs = undefined;
    onChange(name, undefined);
    turn = turn.then(() => {
      // Made deaf again meanwhile: it stays closed.
      if (!isClosed && deafUntilMs === undefined) inner = start(throughUs);
    });
  };
  const probe: DeafableProbe = {
    name,
    transport,
    deviceId,
    subscription: () => inner.subscription(),
    connected: () => deafUntilMs === undefined && inner.connected(),
    renew: () => {
      if (deafUntilMs === undefined) inner.renew();
    },
    deafUntilMs: () => deafUntilMs,
    deafen: (forMs) => {
      if (forMs <= 0) {
        hear();
        return turn;
      }
      clearTimeout(timer);
      const heard = deafUntilMs === undefined;
      deafUntilMs = now() + forMs;
      timer = setTimeout(hear, forMs);
      onChange(name, deafUntilMs);
      if (heard) turn = turn.then(() => inner.close());
      return turn;
    },
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await turn;
      await inner.close();
    },
  };
  return probe;
}
