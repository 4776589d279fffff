import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Subscription } from '../../shared/subscription/subscription.ts';
import { backoffMs } from '../../shared/time/backoff.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { CanaryEvents } from './events.ts';
import type { Probe } from './probes/probe.ts';

const ImportAnswer = z.object({
  imported: z.int().nonnegative(),
  refused: z.array(z.object({ deviceId: z.string(), message: z.string() })),
});

const REQUEST_LIMIT_MS = 3_000;
const REPEAT_MS = 10 * 60_000;
const RETRY = { firstMs: 500, maxMs: 10_000 };

interface RegistrationDeps {
  readonly events: CanaryEvents;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

interface Registration {
  /** True once every probe has an address and some edge has taken all of them. */
  readonly registered: () => boolean;
  /** How many probes some edge has taken at once, at most: what is in the registry stays there. */
  readonly count: () => number;
  /** Register soon: an address is new, or seems to be forgotten. */
  readonly again: () => void;
  readonly running: Promise<void>;
}

/**
 * Keeps the probes in the registry: at start, on every change, every ten minutes, and whenever asked. The edges are
 * tried in order; one is enough, since it writes to every site.
 */
export function registerProbes(
  probes: readonly Probe[],
  target: { edgeUrls: readonly string[]; token: string },
  deps: RegistrationDeps,
): Registration {
  let registered = false;
  let count = 0;
  let wake = new AbortController();
  const run = async () => {
    for (let failures = 0; !deps.signal.aborted; ) {
      wake = new AbortController();
      const taken = await tryEdges(probes, target, deps);
      const complete = taken?.probes === probes.length;
      count = Math.max(count, taken?.probes ?? 0);
      failures = complete ? 0 : failures + 1;
      if (taken && complete) {
        registered = true;
        deps.events.registered(taken.edge);
      }
      const pause = failures === 0 ? REPEAT_MS : backoffMs(failures, RETRY, deps.random());
      await sleep(pause, AbortSignal.any([deps.signal, wake.signal]));
    }
  };
  return {
    registered: () => registered,
    count: () => count,
    again: () => wake.abort(),
    running: run(),
  };
}

/**
 * Puts probes into the registry at the first edge that answers. Undefined: it took all; otherwise why it refused one.
 * Rejects with FetchError when no edge answers.
 */
export async function importProbes(
  subscriptions: readonly Subscription[],
  { edgeUrls, token }: { edgeUrls: readonly string[]; token: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  let failure: unknown = new Error('no edge is set');
  for (const edge of edgeUrls) {
    try {
      const { refused } = await importAt(edge, subscriptions, token, signal);
      return refused[0]?.message;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function importAt(
  edge: string,
  subscriptions: readonly Subscription[],
  token: string,
  signal: AbortSignal,
): Promise<z.infer<typeof ImportAnswer>> {
  return fetchJson(new URL('/v1/subscriptions:import', edge).href, {
    json: subscriptions.map((subscription) => ({ subscription, probe: true })),
    token,
    schema: ImportAnswer,
    timeoutMs: REQUEST_LIMIT_MS,
    signal,
  });
}

/** The first edge that took all probes that have an address, and how many those are. */
async function tryEdges(
  probes: readonly Probe[],
  { edgeUrls, token }: { edgeUrls: readonly string[]; token: string },
  { events, signal }: RegistrationDeps,
): Promise<{ edge: string; probes: number } | undefined> {
  const subscriptions = probes.flatMap((probe) => probe.subscription() ?? []);
  if (subscriptions.length === 0) return undefined;
  for (const edge of edgeUrls) {
    try {
      const answer = await importAt(edge, subscriptions, token, signal);
      if (answer.imported === subscriptions.length) return { edge, probes: answer.imported };
      const reasons = answer.refused.map(({ message }) => message).join('; ');
      events.registrationFailed(
        `${edge} took ${answer.imported} of ${subscriptions.length} probes ${reasons}`.slice(
          0,
          500,
        ),
      );
    } catch (error) {
      if (signal.aborted) return undefined;
      events.registrationFailed(`${edge}: ${errorFields(error).error}`);
    }
  }
  return undefined;
}
