import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Call } from '../calls.ts';

/**
 * How long a sign may stay away: a canary's comes every 30 s at most, on a proof; that of the monitoring each half minute,
 * or each minute.
 */
const SIGN_LIFE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;
export const OUTSIDE_WATCHER = 'OutsideWatcher';

/** A stand-in for healthchecks.io and its like: calls when a sign of life that it had stays away. On loopback. */
export interface OutsideWatcher {
  readonly urlOf: (sign: string) => string;
  /** It is gone itself: nobody answers on its address. */
  readonly die: () => Promise<void>;
  readonly revive: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function startOutsideWatcher(onCall: (call: Call) => void): Promise<OutsideWatcher> {
  const heard = new Map<string, number>();
  const missing = new Set<string>();
  const tell = (sign: string, status: Call['status']) =>
    onCall({
      atMs: Date.now(),
      kind: 'page',
      status,
      alert: OUTSIDE_WATCHER,
      labels: { sign },
      summary: `no sign of life of ${sign}`,
    });
  const server = () =>
    createServer((request, response) => {
      request.resume();
      const sign = (request.url ?? '').slice(1);
      heard.set(sign, Date.now());
      if (missing.delete(sign)) tell(sign, 'resolved');
      response.writeHead(204).end();
    });
  let current = server().listen(0, '127.0.0.1');
  await once(current, 'listening');
  const { port } = current.address() as AddressInfo;
  let isDead = false;
  const look = setInterval(() => {
    if (isDead) return;
    for (const [sign, atMs] of heard) {
      if (missing.has(sign) || Date.now() - atMs <= SIGN_LIFE_MS) continue;
      missing.add(sign);
      tell(sign, 'firing');
    }
  }, LOOK_EVERY_MS);
  const stop = async () => {
    isDead = true;
    current.closeAllConnections();
    current.close();
    await once(current, 'close').catch(() => undefined);
  };
  return {
    urlOf: (sign) => `http://127.0.0.1:${port}/${sign}`,
    die: stop,
    revive: async () => {
      // What it did not hear while it was away nobody sent in vain.
      for (const sign of heard.keys()) heard.set(sign, Date.now());
      current = server().listen(port, '127.0.0.1');
      await once(current, 'listening');
      isDead = false;
    },
    close: async () => {
      clearInterval(look);
      if (!isDead) await stop();
    },
  };
}
