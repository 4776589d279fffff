/** One alert as it reached a pager, the tickets or the outside watcher's telephone. */
export interface Call {
  readonly atMs: number;
  readonly kind: 'page' | 'ticket';
  readonly status: 'firing' | 'resolved';
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** The same alert, whenever it is told. */
export function keyOf({ kind, labels, alert }: Pick<Call, 'kind' | 'labels' | 'alert'>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([kind, alert, sorted]);
}

/** Calls that say something new: Alertmanager tells a whole group again when one of its alerts changes. Pure. */
export function news(calls: readonly Call[]): Call[] {
  const last = new Map<string, Call['status']>();
  return calls.filter((call) => {
    const key = keyOf(call);
    const before = last.get(key) ?? 'resolved';
    last.set(key, call.status);
    return before !== call.status;
  });
}

/** Alerts that were told and not taken back yet, as they were first told. Pure. */
export function open(calls: readonly Call[]): Call[] {
  const firing = new Map<string, Call>();
  for (const call of news(calls)) {
    if (call.status === 'firing') firing.set(keyOf(call), call);
    else firing.delete(keyOf(call));
  }
  return [...firing.values()];
}

/** Alertmanager keeps a group for a minute: what joins it again so soon is told late. */
const GROUP_LIVES_MS = 100_000;

/** Names of alerts that are open, or were so lately that the next one of that name would be told late. Pure. */
export function busyAlerts(calls: readonly Call[], nowMs: number): Set<string> {
  const lately = news(calls).filter(
    ({ status, atMs }) => status === 'resolved' && atMs > nowMs - GROUP_LIVES_MS,
  );
  return new Set([...open(calls), ...lately].map(({ alert }) => alert));
}

/**
 * When the last of those pages that began between two instants was taken back; undefined while one of them is open, or
 * when there was none. Pure.
 */
export function takenBackAtMs(
  calls: readonly Call[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): number | undefined {
  const all = news(calls).filter(({ kind }) => kind === 'page');
  const begun = all.filter(
    ({ status, atMs }) => status === 'firing' && atMs >= fromMs && atMs <= toMs,
  );
  const ends = begun.map((call) =>
    all.find(
      (each) => each.status === 'resolved' && each.atMs >= call.atMs && keyOf(each) === keyOf(call),
    ),
  );
  if (ends.length === 0 || ends.some((end) => end === undefined)) return undefined;
  return Math.max(...ends.map((end) => end?.atMs ?? 0));
}
