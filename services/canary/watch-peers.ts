import type { Peer } from '../../shared/bus/bus-config.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { PathsReport } from './paths-report.ts';

/** What another canary says of its own proofs. `unreachable` until it has answered, and whenever it does not: bad. */
export interface OtherCanary {
  readonly name: string;
  readonly reachable: boolean;
  /** Our clock's instant of its newest proof, by what it said last; undefined when it has none. */
  readonly newestProofAtMs: number | undefined;
  readonly provedPaths: number;
  readonly totalPaths: number;
  /** Our clock's instant since when it has not answered; undefined while it does. */
  readonly silentSinceMs: number | undefined;
}

const EVERY_MS = 5_000;
const REQUEST_LIMIT_MS = 2_000;

interface WatchDeps {
  readonly now: () => number;
  readonly signal: AbortSignal;
}

interface Watch<State> {
  readonly states: () => State[];
  readonly running: Promise<void>;
}

/** Each canary judges the others: their newest proof, by age. */
export function watchOtherCanaries(canaries: readonly Peer[], deps: WatchDeps): Watch<OtherCanary> {
  const unknown = (name: string): OtherCanary => ({
    name,
    reachable: false,
    newestProofAtMs: undefined,
    provedPaths: 0,
    totalPaths: 0,
    silentSinceMs: deps.now(),
  });
  const states = new Map(canaries.map(({ name }) => [name, unknown(name)]));
  const look = async ({ name, url }: Peer) => {
    try {
      const { summary } = await fetchJson(new URL('/v1/paths', url).href, {
        schema: PathsReport,
        timeoutMs: REQUEST_LIMIT_MS,
        signal: deps.signal,
      });
      const ageSeconds = summary.newestProofAgeSeconds;
      states.set(name, {
        name,
        reachable: true,
        newestProofAtMs: ageSeconds === null ? undefined : deps.now() - ageSeconds * 1000,
        provedPaths: summary.provedPaths,
        totalPaths: summary.totalPaths,
        silentSinceMs: undefined,
      });
    } catch {
      const before = states.get(name) ?? unknown(name);
      const silentSinceMs = before.silentSinceMs ?? deps.now();
      states.set(name, { ...before, reachable: false, silentSinceMs });
    }
  };
  return { states: () => [...states.values()], running: repeat(canaries, look, deps.signal) };
}

async function repeat<Item>(
  items: readonly Item[],
  look: (item: Item) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  if (items.length === 0) return;
  do await Promise.all(items.map(look));
  while (await sleep(EVERY_MS, signal));
}
