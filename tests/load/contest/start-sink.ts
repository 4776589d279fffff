import type { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import type { SinkKind, SinkStats } from '../sink/request-log.ts';
import { startChild } from './child.ts';

export interface SinkOptions {
  readonly kind: SinkKind;
  /** Between a whole request and its answer. */
  readonly replyMs: number;
  /** Streams that a client may have open on one connection; FCM allows 100. */
  readonly maxStreams: number;
}

export interface SinkTls {
  readonly keyPem: string;
  readonly certPem: string;
}

export interface Sink {
  readonly port: number;
  readonly stats: () => Promise<SinkStats>;
  /** Forgets what it has counted. */
  readonly beginAnew: () => Promise<SinkStats>;
  /** Changes the reply time; the stalled FCM token is never answered. */
  readonly set: (change: { replyMs: number; stalled: string | null }) => Promise<SinkStats>;
}

const ANSWER_MS = 10_000;

/** Starts a sink in a process of its own. */
export async function startSink(
  options: SinkOptions & SinkTls,
  cleanup: CleanupStack,
): Promise<Sink> {
  const child = startChild(
    { file: 'sink/sink-process.ts', args: [JSON.stringify(options)], name: `sink ${options.kind}` },
    cleanup,
  );
  const { port } = await child.next<{ port: number }>(ANSWER_MS);
  const ask = (order: object) => child.ask<SinkStats>(order, ANSWER_MS);
  return {
    port,
    stats: () => ask({ do: 'say' }),
    beginAnew: () => ask({ do: 'begin-anew' }),
    set: (change) => ask({ do: 'set', ...change }),
  };
}
