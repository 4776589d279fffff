import { type PathState, stateAt, type Timetable } from '../judge.ts';
import type { ReceiverMetrics } from './receiver-metrics.ts';

/** What a receiver is: `browser` is a phone or a kiosk with the probe page. */
export type ReceiverKind = 'autopush' | 'fcm' | 'unified-push' | 'browser';

/** One receiver as the page shows it. */
export interface ReceiverState {
  readonly name: string;
  readonly kind: ReceiverKind;
  /** What people call it, such as “téléphone du standard”. */
  readonly label: string | undefined;
  readonly state: PathState;
  /** Since its last receipt in time; null when there was none. */
  readonly ageMs: number | null;
  /** The same or, without one, the time under watch. */
  readonly silenceMs: number;
  readonly latencyMs: number | null;
}

interface Receiver {
  readonly name: string;
  readonly kind: ReceiverKind;
  readonly label?: string | undefined;
}

export interface ReceiverLog {
  readonly watch: (receiver: Receiver) => void;
  readonly forget: (name: string) => void;
  /** A receipt of it counts; one that took longer than the limit renews nothing. */
  readonly received: (name: string, latencyMs: number) => void;
  readonly states: () => ReceiverState[];
}

interface ReceiverLogDeps {
  readonly metrics: ReceiverMetrics;
  readonly now: () => number;
  readonly wallNow: () => number;
}

interface Watched extends Receiver {
  readonly sinceMs: number;
  readonly lastMs?: number;
  readonly latencyMs?: number;
}

/**
 * The age of each receiver's last receipt. Every receiver of a transport is sent every round of it, so the limits are
 * those of a path; unlike a path it may be silent alone, when its own push service, its network or itself is dead.
 */
export function createReceiverLog(timetable: Timetable, deps: ReceiverLogDeps): ReceiverLog {
  const receivers = new Map<string, Watched>();
  const labels = ({ name, kind }: Receiver) => ({ probe: name, kind });
  return {
    watch: (receiver) => {
      receivers.set(receiver.name, { ...receiver, sinceMs: deps.now() });
      deps.metrics.lastReceipt.set(labels(receiver), 0);
    },
    forget: (name) => {
      const receiver = receivers.get(name);
      receivers.delete(name);
      // A series that ends looks like a canary that died; this says that nobody has to wait for it any more.
      if (receiver) deps.metrics.lastReceipt.set(labels(receiver), Number.POSITIVE_INFINITY);
    },
    received: (name, latencyMs) => {
      const receiver = receivers.get(name);
      if (!receiver || latencyMs > timetable.limitMs) return;
      receivers.set(name, { ...receiver, lastMs: deps.now(), latencyMs });
      deps.metrics.lastReceipt.set(labels(receiver), deps.wallNow() / 1000);
    },
    states: () => [...receivers.values()].map((each) => stateOf(each, deps.now(), timetable)),
  };
}

function stateOf(receiver: Watched, nowMs: number, timetable: Timetable): ReceiverState {
  const { name, kind, label, sinceMs, lastMs, latencyMs } = receiver;
  const silenceMs = Math.max(0, nowMs - (lastMs ?? sinceMs));
  return {
    name,
    kind,
    label,
    state: stateAt(lastMs === undefined ? undefined : silenceMs, timetable),
    ageMs: lastMs === undefined ? null : silenceMs,
    silenceMs,
    latencyMs: latencyMs ?? null,
  };
}
