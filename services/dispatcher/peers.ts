import { z } from 'zod';
import type { Peer } from '../../shared/bus/bus-config.ts';
import { MAX_ENVELOPE_BYTES } from '../../shared/envelope/envelope.ts';
import { SignatureError } from '../../shared/envelope/signature.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { CompletionReceipt } from '../../shared/receipt/completion-receipt.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { DispatcherMetrics } from './metrics.ts';
import { ConflictError } from './take-alert.ts';

/** `<journal id>.<last alert>.<last receipt>`; to the reader it is opaque. */
export const JournalCursorText = z.string().regex(/^[0-9a-f]{0,16}\.\d{1,15}\.\d{1,15}$/);
export const JOURNAL_START = '.0.0';

/** What a dispatcher answers to `GET /v1/journal?since=<cursor>`. */
export const JournalPage = z.strictObject({
  cursor: JournalCursorText,
  entries: z
    .array(z.strictObject({ id: z.string(), jws: z.string().max(MAX_ENVELOPE_BYTES) }))
    .max(200),
  receipts: z.array(CompletionReceipt).max(1_000),
});
export type JournalPage = z.infer<typeof JournalPage>;

const CATCH_UP_MS = 2_000;
/** A question is put so often, the next time after a moment. */
const ASK_TRIES = 2;
const ASK_AGAIN_MS = 50;
const FLUSH_MS = 50;
const RECEIPTS_PER_POST = 100;
/** Device ids in the receipts of one post (25 bytes each): a peer takes 4 MB, and what it refuses would be said again for ever. */
const PENDING_PER_POST = 60_000;
const MAX_QUEUED = 5_000;
const TIMEOUT_MS = 2_000;
/** Alerts of a peer that could not be written here and are tried again; an envelope has at most 512 KB. */
const MAX_UNTAKEN = 20;
/** A peer that said nothing for this long: what it holds back is taken over. */
const SILENT_AFTER_MS = 5_000;

interface Deps {
  readonly peers: readonly Peer[];
  readonly token: string;
  readonly takeAlert: (jws: string) => Promise<unknown>;
  readonly takeReceipt: (receipt: CompletionReceipt) => void;
  /** Something came from that peer. */
  readonly onHeard?: (node: string) => void;
  /** A peer stopped to answer, or something came from it again. */
  readonly onAnswering?: (node: string, answers: boolean) => void;
  readonly metrics: DispatcherMetrics;
  readonly log: Logger;
  readonly now: Clock;
}

export interface Peers {
  /** Says a receipt to every peer, directly. */
  readonly say: (receipt: CompletionReceipt) => void;
  /** Something came from that node just now. */
  readonly heardFrom: (node: string) => void;
  readonly silent: (node: string) => boolean;
  /** It did not answer the last time, and nothing has come from it since. */
  readonly unanswering: (node: string) => boolean;
  /**
   * Asks each peer now for all that it has and this node lacks. Each resolves when that is read, or when the peer does
   * not answer.
   */
  readonly ask: (signal: AbortSignal) => readonly Promise<void>[];
  readonly close: () => Promise<void>;
}

/**
 * The direct way between dispatchers: receipts are pushed, and every two seconds each peer is asked for alerts and
 * receipts that this node lacks. It needs nothing of the bus, and tells by the way who is alive.
 */
export function startPeers(deps: Deps): Peers {
  const stop = new AbortController();
  const lastHeardMs = new Map(deps.peers.map((peer) => [peer.name, deps.now()]));
  const unanswering = new Set<string>();
  const heardFrom = (node: string) => {
    if (!lastHeardMs.has(node)) return;
    if (unanswering.delete(node)) deps.onAnswering?.(node, true);
    lastHeardMs.set(node, deps.now());
    deps.onHeard?.(node);
  };
  const links = deps.peers.map((peer) =>
    startLink(peer, {
      ...deps,
      heardFrom,
      notAnswered: (node) => {
        if (!unanswering.has(node)) deps.onAnswering?.(node, false);
        unanswering.add(node);
      },
      signal: stop.signal,
    }),
  );
  return {
    say: (receipt) => {
      for (const link of links) link.say(receipt);
    },
    heardFrom,
    unanswering: (node) => unanswering.has(node),
    silent: (node) => deps.now() - (lastHeardMs.get(node) ?? 0) > SILENT_AFTER_MS,
    ask: (signal) => links.map((link) => link.ask(signal)),
    close: async () => {
      stop.abort();
      await Promise.all(links.map((link) => link.ended));
    },
  };
}

interface LinkDeps extends Deps {
  readonly heardFrom: (node: string) => void;
  readonly notAnswered: (node: string) => void;
  readonly signal: AbortSignal;
}

interface Link {
  readonly say: (receipt: CompletionReceipt) => void;
  readonly ask: (signal: AbortSignal) => Promise<void>;
  readonly ended: Promise<unknown>;
}

function startLink(peer: Peer, deps: LinkDeps): Link {
  const queue: CompletionReceipt[] = [];
  const questions = new Questions();
  return {
    say: (receipt) => {
      // What falls out here reaches the peer by the bus or when it asks.
      if (queue.length >= MAX_QUEUED) {
        queue.shift();
        deps.metrics.receiptsDropped.inc();
      }
      queue.push(receipt);
    },
    ask: (signal) => questions.ask(signal),
    ended: Promise.all([pushReceipts(peer, queue, deps), catchUp(peer, questions, deps)]),
  };
}

interface Question {
  triesLeft: number;
  readonly settle: () => void;
}

/** Who waits until a peer's journal has been read to its end, from a request that was begun after they asked. */
class Questions {
  #waiting: Question[] = [];
  #wake: (() => void) | undefined;

  get isAny(): boolean {
    return this.#waiting.length > 0;
  }

  ask(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ triesLeft: ASK_TRIES, settle: resolve });
      signal.addEventListener('abort', () => resolve(), { once: true });
      this.#wake?.();
    });
  }

  /** Those whom the request that begins now answers. */
  take(): Question[] {
    return this.#waiting.splice(0);
  }

  putBack(questions: readonly Question[]): void {
    this.#waiting.unshift(...questions);
  }

  /** Nobody answered. A connection that died unnoticed says nothing of the peer: once more. */
  failed(questions: readonly Question[]): void {
    for (const question of questions) {
      question.triesLeft--;
      if (question.triesLeft > 0) this.#waiting.push(question);
      else question.settle();
    }
  }

  /** False: the signal ended it. Cut short by the next question. */
  async pause(ms: number, signal: AbortSignal): Promise<boolean> {
    const waking = new AbortController();
    this.#wake = () => waking.abort();
    await sleep(this.isAny ? ASK_AGAIN_MS : ms, AbortSignal.any([signal, waking.signal]));
    this.#wake = undefined;
    return !signal.aborted;
  }
}

/** The oldest receipts that fit into one post; at least one. */
export function nextBatch(queue: readonly CompletionReceipt[]): CompletionReceipt[] {
  const batch: CompletionReceipt[] = [];
  let pending = 0;
  for (const receipt of queue.slice(0, RECEIPTS_PER_POST)) {
    pending += receipt.pending.length;
    if (batch.length > 0 && pending > PENDING_PER_POST) break;
    batch.push(receipt);
  }
  return batch;
}

async function pushReceipts(peer: Peer, queue: CompletionReceipt[], deps: LinkDeps): Promise<void> {
  let waitMs = FLUSH_MS;
  while (await sleep(waitMs, deps.signal)) {
    waitMs = FLUSH_MS;
    if (queue.length === 0) continue;
    const batch = nextBatch(queue);
    try {
      await fetchJson(`${peer.url}/v1/receipts`, {
        schema: z.undefined(),
        timeoutMs: TIMEOUT_MS,
        token: deps.token,
        json: batch,
        signal: deps.signal,
      });
      queue.splice(0, batch.length);
      deps.heardFrom(peer.name);
    } catch {
      deps.notAnswered(peer.name);
      waitMs = 1_000;
    }
  }
}

/** Anti-entropy: reads on in the peer's journal from where this node was. After a restart it reads it all again. */
async function catchUp(peer: Peer, questions: Questions, deps: LinkDeps): Promise<void> {
  let cursor = JOURNAL_START;
  let untaken: readonly string[] = [];
  let wasReachable = true;
  do {
    const asked = questions.take();
    try {
      const url = `${peer.url}/v1/journal?since=${cursor}`;
      const { token, signal } = deps;
      const page = await fetchJson(url, {
        schema: JournalPage,
        timeoutMs: TIMEOUT_MS,
        token,
        signal,
      });
      deps.heardFrom(peer.name);
      wasReachable = true;
      const notTaken = await takeAll(
        page.entries.map(({ jws }) => jws),
        deps,
      );
      untaken = [...untaken, ...notTaken].slice(-MAX_UNTAKEN);
      for (const receipt of page.receipts) deps.takeReceipt(receipt);
      const moved = page.cursor !== cursor;
      cursor = page.cursor;
      if (moved) {
        questions.putBack(asked);
        continue;
      }
      for (const { settle } of asked) settle();
    } catch (error) {
      deps.notAnswered(peer.name);
      questions.failed(asked);
      if (wasReachable && !deps.signal.aborted)
        deps.log.warn({ ...errorFields(error), peer: peer.name }, 'peer does not answer');
      wasReachable = false;
    }
    if (!(await questions.pause(CATCH_UP_MS, deps.signal))) return;
    untaken = await takeAll(untaken, deps);
  } while (!deps.signal.aborted);
}

/**
 * One alert that cannot be taken does not keep the next ones away. Returns those that are tried again: what hindered was
 * here (a full disk), and the peer's journal is not read twice.
 */
async function takeAll(alerts: readonly string[], deps: LinkDeps): Promise<string[]> {
  const untaken: string[] = [];
  for (const jws of alerts) {
    try {
      await deps.takeAlert(jws);
    } catch (error) {
      deps.log.warn(errorFields(error), 'an alert from a peer was not taken');
      if (!(error instanceof SignatureError) && !(error instanceof ConflictError))
        untaken.push(jws);
    }
  }
  return untaken;
}
