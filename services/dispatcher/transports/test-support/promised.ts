import type { Exchange } from '../exchange.ts';
import type { Post, PostClient } from '../post-client.ts';
import type { Outcome, OutgoingMessage, Transport } from '../transport.ts';

/** One send as a promise, for tests. Rejects when it is settled twice in the same turn. */
export function sent<Address>(
  transport: Transport<Address>,
  address: Address,
  message: OutgoingMessage,
  signal: AbortSignal,
): Promise<Outcome> {
  return once((settle) => transport.send(address, message, signal, settle));
}

/** One request as a promise, for tests. Rejects when it is settled twice in the same turn. */
export function posted(client: PostClient, post: Post): Promise<Exchange> {
  return once((settle) => client.post(post, settle));
}

function once<Result>(begin: (settle: (result: Result) => void) => void): Promise<Result> {
  let times = 0;
  return new Promise<Result>((resolve, reject) => {
    begin((result) => {
      times++;
      // In the next turn, so that a second call right behind the first is seen.
      setImmediate(() =>
        times === 1 ? resolve(result) : reject(new Error(`settled ${times} times`)),
      );
    });
  });
}
