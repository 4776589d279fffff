import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, globSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import type { Peer } from '../../shared/bus/bus-config.ts';
import { ProblemError } from '../../shared/http/problem.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { DispatcherEvents } from './events.ts';
import type { Registry } from './registry.ts';
import { DamagedReplicaError, removeReplica, SCHEMA_VERSION } from './replica-file.ts';
import { runReplicaTask } from './replica-task.ts';

/** `GET` answers one, zstd-compressed; `schema` in the query has to be the giver's own. */
const SNAPSHOT_PATH = '/v1/registry/snapshot';
export const SNAPSHOT_TYPE = 'application/zstd';

const COMPRESSION_LEVEL = 1;
/** A copy is handed out within this time or not at all. */
const SERVE_MS = 10 * 60_000;
/** A peer that has one says so at once; then it copies, and bytes keep coming. */
const ANSWER_MS = 3_000;
const STALL_MS = 20_000;
const MAX_BYTES = 8 * 1024 ** 3;
/** Bytes that are read, compressed and written in one go: small ones cost more in hand-overs than in work. */
const CHUNK_BYTES = 1024 ** 2;

interface ServeDeps {
  readonly registry: Registry;
  readonly isWhole: () => boolean;
  readonly events: Pick<DispatcherEvents, 'snapshot'>;
}

/** Hands out copies of this node's replica, one at a time. */
export function createSnapshots({ registry, isWhole, events }: ServeDeps): Snapshots {
  let isBusy = false;
  for (const left of globSync(`${registry.path}.snapshot-*`)) removeReplica(left);
  return {
    admit: (schema) => {
      if (schema !== undefined && schema !== SCHEMA_VERSION)
        throw refusal(
          409,
          'other-schema',
          `Replicas here are of version ${SCHEMA_VERSION}`,
          'Read the streams',
        );
      if (!isWhole())
        throw refusal(
          503,
          'replica-not-whole',
          'This replica is not whole itself',
          'Ask another dispatcher',
        );
      if (isBusy)
        throw refusal(
          503,
          'snapshot-busy',
          'Another node is getting a copy',
          'Ask another dispatcher',
        );
    },
    send: async (to) => {
      isBusy = true;
      const copy = `${registry.path}.snapshot-${randomUUID()}`;
      try {
        await registry.copyTo(copy);
        const compress = createZstdCompress({
          chunkSize: CHUNK_BYTES,
          params: { [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL },
        });
        const source = createReadStream(copy, { highWaterMark: CHUNK_BYTES });
        await pipeline(source, compress, to, { signal: AbortSignal.timeout(SERVE_MS) });
        events.snapshot('served');
      } catch (error) {
        events.snapshot('failed');
        to.destroy();
        throw error;
      } finally {
        isBusy = false;
        // By a thread: forgetting a file of hundreds of megabytes takes a tenth of a second and more.
        await rm(copy, { force: true });
        removeReplica(copy);
      }
    },
  };
}

export interface Snapshots {
  /** Throws ProblemError when no copy can be given now: 409 another schema, 503 not whole or busy. */
  readonly admit: (schema: number | undefined) => void;
  /** Copies, compresses and sends. Rejects when the reader goes away or takes too long. */
  readonly send: (to: Writable) => Promise<void>;
}

function refusal(status: 409 | 503, code: string, title: string, action: string): ProblemError {
  return new ProblemError(status, code, title, {
    action,
    ...(status === 503 ? { retryAfterSeconds: 5 } : {}),
  });
}

interface FetchDeps {
  readonly peers: readonly Peer[];
  readonly token: string;
  readonly events: Pick<DispatcherEvents, 'snapshot'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Gets a peer's copy into `path`, each peer asked once. Returns whether a copy came that is whole and right in every row. */
export async function fetchSnapshot(path: string, deps: FetchDeps): Promise<boolean> {
  for (const peer of deps.peers) {
    if (deps.signal.aborted) return false;
    removeReplica(path);
    try {
      await download(`${peer.url}${SNAPSHOT_PATH}?schema=${SCHEMA_VERSION}`, path, deps);
      // Its structure, version, rows and indexes have to be right, and its giver whole.
      await runReplicaTask({ kind: 'verify', path }, deps.signal);
      deps.events.snapshot('taken');
      deps.log.info({ peer: peer.name }, 'got a copy of the registry from a peer');
      return true;
    } catch (error) {
      removeReplica(path);
      if (error instanceof DamagedReplicaError) deps.events.snapshot('refused');
      deps.log.info({ ...errorFields(error), peer: peer.name }, 'no copy of the registry from it');
    }
  }
  return false;
}

async function download(
  url: string,
  path: string,
  deps: Pick<FetchDeps, 'token' | 'signal'>,
): Promise<void> {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), ANSWER_MS);
  const signal = AbortSignal.any([deps.signal, stalled.signal]);
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${deps.token}` },
      redirect: 'error',
      signal,
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`answered ${response.status}`);
    }
    let bytes = 0;
    const bounded = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        clearTimeout(timer);
        timer = setTimeout(() => stalled.abort(), STALL_MS);
        bytes += chunk.byteLength;
        if (bytes > MAX_BYTES) throw new Error('the copy is too large');
        yield chunk;
      }
    };
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), STALL_MS);
    const body = Readable.fromWeb(response.body);
    const decompress = createZstdDecompress({ chunkSize: CHUNK_BYTES });
    // On disk before it is trusted: the next life does not look at every row of it.
    const file = createWriteStream(path, { flush: true, highWaterMark: CHUNK_BYTES });
    await pipeline(body, decompress, bounded, file, { signal });
  } finally {
    clearTimeout(timer);
  }
}
