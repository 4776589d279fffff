import type { PostClient } from '../../../services/dispatcher/transports/post-client.ts';
import type {
  Outcome,
  OutgoingMessage,
  Transport,
} from '../../../services/dispatcher/transports/transport.ts';
import { sleep } from '../../../shared/time/sleep.ts';

/** How many sends of one transport are kept under way, whatever it would take. */
const MOST_IN_FLIGHT = 5_000;
const OPEN_MS = 10_000;
const NEVER = new AbortController().signal;

/**
 * Sends a message to `count` addresses as the dispatch does: as many at a time as the transport takes, each settling
 * alone. Rejects with the first that is not accepted.
 */
export function sendAll<Address>(
  transport: Transport<Address>,
  message: OutgoingMessage,
  addressAt: (i: number) => Address,
  count: number,
): Promise<void> {
  const width = Math.min(transport.maxInFlight, MOST_IN_FLIGHT);
  return pump(width, count, (i, settled) => {
    transport.send(addressAt(i), message, NEVER, (outcome) => settled(problemOf(outcome)));
  });
}

/** Keeps `width` calls of `begin` open until `count` are done, without a promise for each. */
export function pump(
  width: number,
  count: number,
  begin: (i: number, settled: (problem: string | undefined) => void) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let next = 0;
  let open = 0;
  let isPumping = false;
  const settled = (problem: string | undefined) => {
    open--;
    if (problem !== undefined) reject(new Error(problem));
    else if (next >= count && open === 0) resolve();
    else more();
  };
  const more = () => {
    // A call that settles at once would otherwise begin the next from within itself.
    if (isPumping) return;
    isPumping = true;
    while (open < width && next < count) {
      open++;
      begin(next++, settled);
    }
    isPumping = false;
    if (next >= count && open === 0) resolve();
  };
  more();
  return promise;
}

/** Dispatchers open their sessions long before an alert: no turn begins before all are open. Rejects after ten seconds. */
export async function untilOpen(
  client: Pick<PostClient, 'capacity'>,
  capacity: number,
): Promise<void> {
  const endMs = performance.now() + OPEN_MS;
  while (client.capacity < capacity) {
    if (performance.now() > endMs) throw new Error('the sessions did not open');
    await sleep(20);
  }
}

function problemOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'accepted') return undefined;
  return `a message was ${outcome.kind}${'reason' in outcome ? ` (${outcome.reason})` : ''}`;
}
