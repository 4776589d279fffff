import { z } from 'zod';
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
      });
    } catch {
      states.set(name, { ...(states.get(name) ?? unknown(name)), reachable: false });
    }
  };
  return { states: () => [...states.values()], running: repeat(canaries, look, deps.signal) };
}

/** A process that does not say that it is ready. Those that do are not mentioned: that would be no proof. */
export interface UnreadyNode {
  readonly kind: 'ingest' | 'dispatcher' | 'edge';
  readonly name: string;
  /** False: it did not answer. True: it answered, and is not ready. */
  readonly answered: boolean;
}

const ReadyAnswer = z.object({ ready: z.boolean() });

/** Asks every node whether it is ready. May only ever turn something red. */
export function watchProcesses(
  nodes: readonly { kind: UnreadyNode['kind']; peer: Peer }[],
  signal: AbortSignal,
): Watch<UnreadyNode> {
  const unready = new Map<string, UnreadyNode>();
  const look = async ({ kind, peer }: (typeof nodes)[number]) => {
    const key = `${kind} ${peer.name}`;
    try {
      await fetchJson(new URL('/ready', peer.url).href, {
        schema: ReadyAnswer,
        timeoutMs: REQUEST_LIMIT_MS,
        signal,
      });
      unready.delete(key);
    } catch (error) {
      const answered = (error as { status?: unknown }).status !== undefined;
      unready.set(key, { kind, name: peer.name, answered });
    }
  };
  return { states: () => [...unready.values()], running: repeat(nodes, look, signal) };
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
