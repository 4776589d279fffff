import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { readEdgeConfig } from '../../services/edge/config.ts';
import { startEdge } from '../../services/edge/start-edge.ts';
import type { KeySet } from '../../shared/envelope/key-set.ts';
import { createLogger } from '../../shared/log/logger.ts';

export interface TestEdge {
  /** `http://localhost:<port>`: browsers take it as secure. */
  readonly url: string;
  readonly token: string;
  readonly vapid: { readonly publicKey: string; readonly privateKey: string };
  /** Stops it; with `keepData` it can be started again on the same folder. */
  readonly close: (options?: { keepData: boolean }) => Promise<void>;
  readonly dataDir: string;
}

export interface TestEdgeOptions {
  readonly keySet: KeySet;
  readonly sites: readonly {
    site: string;
    url: string;
    monitorUrl: string;
    user?: string;
    passwordFile?: string;
  }[];
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
}

/** A real edge on a free port, in a folder of its own. */
export async function startTestEdge(options: TestEdgeOptions): Promise<TestEdge> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tocsin-edge-'));
  const token = randomBytes(16).toString('hex');
  const tokenFile = join(dataDir, 'token');
  const keysFile = join(dataDir, 'keys.json');
  writeFileSync(tokenFile, token);
  writeFileSync(keysFile, JSON.stringify(options.keySet));
  const vapid = webPush.generateVAPIDKeys();
  const config = readEdgeConfig({
    PORT: '0',
    SITE: 'a',
    DATA_DIR: dataDir,
    NATS_SITES: JSON.stringify(options.sites),
    INTERNAL_TOKEN_FILE: tokenFile,
    TRUSTED_KEYS_FILE: keysFile,
    VAPID_PUBLIC_KEY: vapid.publicKey,
    DEPLOYMENT: 'development',
    ...options.env,
  });
  const edge = await startEdge(
    config,
    createLogger('edge', 'test', process.env['LOG_LEVEL'] ?? 'silent'),
  );
  return {
    url: `http://localhost:${edge.port}`,
    token,
    vapid,
    dataDir,
    close: async ({ keepData } = { keepData: false }) => {
      await edge.close();
      if (!keepData) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until something holds; rejects with its name after the deadline. */
export async function eventually<Result>(
  what: string,
  check: () => Promise<Result | undefined | false> | Result | undefined | false,
  deadlineMs = 10_000,
): Promise<Result> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; ) {
    const result = await check();
    if (result !== undefined && result !== false) return result;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`${what}: not within ${deadlineMs} ms`);
}
