/** The latest that a node has said about one shard. */
export interface ShardReceipt {
  readonly node: string;
  /** Somebody is still to be tried again. */
  readonly hasPending: boolean;
  /** Its list of those is whole; else whoever goes on has to go through the shard again. */
  readonly namesAll?: boolean;
  /** Of all whom it tried none was accepted, and some are still to be tried. */
  readonly isFruitless?: boolean;
  /** It only went through what this other node had left. */
  readonly takenOverFrom?: string | undefined;
  /** When this node heard of it, by this node's clock (ms). */
  readonly heardAtMs: number;
}

/**
 * How far a peer's word is good. `confirmed`: the canary proved its route after it spoke; `trusted`: proved within the
 * last 150 s; `unproved`: neither.
 */
export type Trust = 'confirmed' | 'trusted' | 'unproved';

/** All that one node knows when it decides what to do next for one alert on one transport. */
export interface RingView {
  readonly shards: number;
  readonly self: string;
  /** All dispatchers by name, this one among them, in the same order everywhere. */
  readonly nodes: readonly string[];
  /** Shards that this node has begun or gone through. */
  readonly begun: { readonly has: (shard: number) => boolean };
  /** Shards in which this node has somebody to try again. */
  readonly ownPending: boolean;
  /** Receipts of peers for a shard, the latest of each. */
  readonly peerReceipts: (shard: number) => readonly ShardReceipt[];
  readonly trust: (node: string, heardAtMs: number) => Trust;
  /** Nothing has been heard of this peer for so long that what it holds should be taken over. */
  readonly silent: (node: string) => boolean;
  /** It lives and gets nobody accepted in that shard, while this node gets on: what it holds should be taken over. */
  readonly isStuck: (shard: number, node: string) => boolean;
  /** This node begins with that shard. */
  readonly isOwn: (shard: number) => boolean;
  readonly selfProved: boolean;
  readonly anybodyProved: boolean;
}

export type RingStep =
  | { readonly step: 'send'; readonly shard: number }
  /** Go through what that peer, silent or stuck, had left pending. */
  | { readonly step: 'take-over'; readonly shard: number; readonly from: string }
  /** Nothing to do now; something may come (a retry, a receipt, a proof that lapses). */
  | { readonly step: 'wait' }
  /** Every shard is closed by this node or by a peer whose route was proved after it. */
  | { readonly step: 'finished' };

/**
 * The order in which node `position` of `nodes` goes through the shards: its own arc upwards, then the other arcs from
 * their far ends backwards, so that two nodes meet in the middle of what is left and never have to agree on anything.
 */
export function shardOrder(position: number, nodes: number, shards: number): number[] {
  const order = ownArc(position, nodes, shards);
  for (let step = 1; step < nodes; step++)
    order.push(...ownArc((position + step) % nodes, nodes, shards).reverse());
  return order;
}

/** The shards [k·S/m, (k+1)·S/m) with which node k of m begins, upwards. */
export function ownArc(position: number, nodes: number, shards: number): number[] {
  const from = Math.floor((position * shards) / nodes);
  const to = Math.floor(((position + 1) * shards) / nodes);
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** What a node does next. Pure: the whole ring is this function asked again and again. */
export function nextStep(view: RingView, order: readonly number[]): RingStep {
  for (const shard of order) {
    if (!view.begun.has(shard) && !isGoneThrough(view, shard)) return { step: 'send', shard };
  }
  let waiting = view.ownPending;
  for (const shard of order) {
    if (view.begun.has(shard)) continue;
    const verdict = judgeShard(view, shard);
    if (verdict.step === 'wait') waiting = true;
    else if (verdict.step !== 'finished') return verdict;
  }
  return waiting ? { step: 'wait' } : { step: 'finished' };
}

/** What a peer got nowhere with is no reason to leave out a shard that this node would begin with anyway. */
function isGoneThrough(view: RingView, shard: number): boolean {
  const receipts = view.peerReceipts(shard);
  if (receipts.length === 0) return false;
  const isOwn = view.isOwn(shard);
  return receipts.some((receipt) => isFull(receipt) && !(isOwn && receipt.isFruitless));
}

/** Its node went through the whole shard, not only through somebody's leftovers. */
function isFull({ takenOverFrom }: ShardReceipt): boolean {
  return takenOverFrom === undefined;
}

/** A shard that this node has not begun and that at least one peer has gone through. */
function judgeShard(view: RingView, shard: number): RingStep {
  const good = view
    .peerReceipts(shard)
    .filter(
      (receipt) => isFull(receipt) && view.trust(receipt.node, receipt.heardAtMs) !== 'unproved',
    );
  if (good.length === 0) {
    // Nobody whose word is good: a proven node does it again; where nobody is proven, everybody does.
    return view.selfProved || !view.anybodyProved ? { step: 'send', shard } : { step: 'wait' };
  }
  const closings = good.flatMap((receipt) => closingsOf(view, shard, receipt));
  if (closings.length > 0) {
    const confirmed = closings.some((words) =>
      words.every(({ node, heardAtMs }) => view.trust(node, heardAtMs) === 'confirmed'),
    );
    return confirmed ? { step: 'finished' } : { step: 'wait' };
  }
  const left = isAtIt(view, shard, good)
    ? undefined
    : good.find(({ node }) => view.silent(node) || view.isStuck(shard, node));
  if (!left) return { step: 'wait' };
  return left.namesAll === false
    ? { step: 'send', shard }
    : { step: 'take-over', shard, from: left.node };
}

/** This node goes through somebody's leftovers there already: its own retries lead on, not one more take-over. */
function isAtIt(view: RingView, shard: number, good: readonly ShardReceipt[]): boolean {
  return view
    .peerReceipts(shard)
    .some(
      (own) => own.node === view.self && good.some((receipt) => receipt.node === own.takenOverFrom),
    );
}

/**
 * The ways in which a receipt closes its shard, each as the words that it rests on: its own where nobody is pending, or
 * its own and that of a good peer who has gone through what was.
 */
function closingsOf(view: RingView, shard: number, receipt: ShardReceipt): ShardReceipt[][] {
  if (!receipt.hasPending) return [[receipt]];
  return view
    .peerReceipts(shard)
    .filter(
      (other) =>
        other.takenOverFrom === receipt.node &&
        !other.hasPending &&
        view.trust(other.node, other.heardAtMs) !== 'unproved',
    )
    .map((other) => [receipt, other]);
}
