import { setImmediate as nextTurn } from 'node:timers/promises';
import { recordDeviceId } from '../../../shared/subscription/registry-record.ts';
import { backoffMs } from '../../../shared/time/backoff.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { Registry } from '../registry.ts';
import { type ChangeMembers, TOKENS_AT_A_TIME, type TokenResult } from './instance-id.ts';
import { decideMembership } from './membership.ts';
import type { TopicEvents } from './metrics.ts';
import type { ChangeBatch, TopicStore, WaitingChange } from './topic-store.ts';

export interface KeepMembersOptions {
  readonly languages: readonly string[];
  /** Over all nodes. */
  readonly changesPerSecond: number;
  readonly walkEveryMs: number;
}

export interface KeepMembersDeps {
  readonly registry: Pick<Registry, 'goodRecords' | 'damaged'>;
  readonly store: TopicStore;
  readonly changeMembers: ChangeMembers;
  /** The device is in this node's share. */
  readonly isOwn: (deviceId: string) => boolean;
  /** Nodes that share the rate. */
  readonly liveNodes: () => number;
  /** An alert is being sent: memberships wait. */
  readonly isBusy: () => boolean;
  readonly events: TopicEvents;
  readonly now: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What is read and written at a time takes less than ten milliseconds, and then others get a turn. */
const RECORDS_AT_A_TIME = 50;
const RESULTS_AT_A_TIME = 200;
const BETWEEN_PAGES_MS = 10;
/** The walk goes on when these have been told: the more wait, the fuller are the requests. About 250 MB on disk. */
const MOST_WAITING = 500_000;
/** However few tokens are in them, requests are not more frequent. */
const BETWEEN_REQUESTS_MS = 50;
/** A token that Google can't say anything about is asked about so often; the next change of its device begins anew. */
const MOST_TRIES = 5;
const BACKOFF = { firstMs: 1_000, maxMs: 300_000 };
const WHILE_BUSY_MS = 1_000;
const AFTER_ERROR_MS = 5_000;

/**
 * Keeps the topics as the registry has it: walks through the replica, notes what has to change, tells Google, and begins
 * again. It goes on where an earlier life of this node was. Resolves when the signal aborts.
 */
export async function keepMembers(
  options: KeepMembersOptions,
  deps: KeepMembersDeps,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const isWhole = await walk(options, deps, signal);
      await tellAll(options, deps, signal);
      if (isWhole) await sleep(options.walkEveryMs, signal);
    } catch (error) {
      deps.events.interrupted(error);
      await sleep(AFTER_ERROR_MS, signal);
    }
  }
}

/** Returns false when so much has to be told that the walk has to be taken up again later. */
async function walk(
  { languages }: KeepMembersOptions,
  { registry, store, isOwn, isBusy, events, now }: KeepMembersDeps,
  signal: AbortSignal,
): Promise<boolean> {
  while (await sleep(isBusy() ? WHILE_BUSY_MS : BETWEEN_PAGES_MS, signal)) {
    if (isBusy()) continue;
    if (store.waiting >= MOST_WAITING) return false;
    const { records, last } = registry.goodRecords(store.walkAfter, RECORDS_AT_A_TIME);
    const updates = records.flatMap((record) => {
      const deviceId = recordDeviceId(record);
      const decision = decideMembership(record, store.member(deviceId), {
        isOwn: isOwn(deviceId),
        languages,
      });
      return decision ? [{ deviceId, ...decision }] : [];
    });
    store.note(updates, last ?? '');
    if (last !== undefined) continue;
    events.walkEnded(now(), store.members);
    return true;
  }
  return false;
}

/** Tells Google until nothing waits. While it can't be told, nothing new is looked for either. */
async function tellAll(
  { changesPerSecond }: KeepMembersOptions,
  deps: KeepMembersDeps,
  signal: AbortSignal,
): Promise<void> {
  const { store, changeMembers, liveNodes, isBusy, events, random } = deps;
  let postponed = 0;
  for (;;) {
    while (isBusy()) if (!(await sleep(WHILE_BUSY_MS, signal))) return;
    const batch = store.nextBatch(TOKENS_AT_A_TIME);
    if (batch === undefined || signal.aborted) return;
    const { change, topic, changes } = batch;
    const tokens = changes.map(({ token }) => token);
    const result = await changeMembers(change, topic, tokens, signal);
    if (signal.aborted) return;
    if (result.kind === 'later') {
      postponed++;
      const waitMs = Math.max(result.retryAfterMs, backoffMs(postponed, BACKOFF, random()));
      events.postponed(waitMs);
      if (!(await sleep(waitMs, signal))) return;
      continue;
    }
    postponed = 0;
    // A request that is wrong as a whole is tried again with the others of its topic, and then given up.
    await settle(
      batch,
      result.kind === 'refused' ? tokens.map(() => 'failed') : result.results,
      deps,
    );
    const perSecond = changesPerSecond / Math.max(1, liveNodes());
    const waitMs = Math.max(BETWEEN_REQUESTS_MS, (tokens.length / perSecond) * 1000);
    if (!(await sleep(waitMs, signal))) return;
  }
}

async function settle(
  { change, changes }: ChangeBatch,
  results: readonly TokenResult[],
  { store, events }: Pick<KeepMembersDeps, 'store' | 'events'>,
): Promise<void> {
  const ended: WaitingChange[] = [];
  const again: WaitingChange[] = [];
  const counted: TokenResult[] = [];
  for (const [i, waiting] of changes.entries()) {
    const result = results[i] ?? 'failed';
    const isLast = result !== 'failed' || waiting.tries + 1 >= MOST_TRIES;
    (isLast ? ended : again).push(waiting);
    if (isLast) counted.push(result);
  }
  events.changesTold(change, counted);
  for (let i = 0; i < changes.length; i += RESULTS_AT_A_TIME) {
    store.settle(ended.slice(i, i + RESULTS_AT_A_TIME), again.slice(i, i + RESULTS_AT_A_TIME));
    await nextTurn();
  }
}
