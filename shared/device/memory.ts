/** How a device remembers one alert. Entries outlive the alert, so that a repeat long after is still known. */
export interface RememberedAlert {
  readonly id: string;
  /** `shown`: on the screen under `tag`; `taken-down`: cancelled or replaced, never to be shown again. */
  readonly state: 'shown' | 'taken-down';
  /** Tag of the notification that stands for this alert (an Update keeps its Alert's). */
  readonly tag: string;
  readonly expiresMs: number;
  /** When the message that ended it was sent: an Update older than that comes too late. */
  readonly endedBySentMs?: number;
}

/** Everything a device remembers, newest last. */
export type DeviceMemory = readonly RememberedAlert[];

/** At most this many are kept: more than a year of alerts in the busiest place, 100 KB at most. */
const MAX_REMEMBERED = 500;

export function recall(memory: DeviceMemory, id: string): RememberedAlert | undefined {
  return memory.find((each) => each.id === id);
}

/**
 * Adds or changes entries. When there are too many, those that end first fall out: they have expired, so a repeat is
 * refused anyway. (Not the oldest: a probe hears hundreds of short canary rounds within the life of one real alert.)
 */
export function remember(memory: DeviceMemory, changed: readonly RememberedAlert[]): DeviceMemory {
  const ids = new Set(changed.map((each) => each.id));
  const all = [...memory.filter((each) => !ids.has(each.id)), ...changed];
  if (all.length <= MAX_REMEMBERED) return all;
  const byEnd = [...all].sort((a, b) => a.expiresMs - b.expiresMs);
  const forgotten = new Set(byEnd.slice(0, all.length - MAX_REMEMBERED));
  return all.filter((each) => !forgotten.has(each));
}
