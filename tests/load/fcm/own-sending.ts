import { AccessTokens } from '../../../services/dispatcher/transports/fcm/access-token.ts';
import { createFcmTransport } from '../../../services/dispatcher/transports/fcm/fcm-transport.ts';
import { guardTransport } from '../../../services/dispatcher/transports/guard-transport.ts';
import {
  openHttp2Client,
  type PostClientChoice,
} from '../../../services/dispatcher/transports/http2-client.ts';
import type { Transport } from '../../../services/dispatcher/transports/transport.ts';
import type { FcmAddress } from '../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../shared/time/clock.ts';
import { benchMessage, TTL_MS } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { sendAll, untilOpen } from '../contest/send-all.ts';
import { transportDeps } from '../contest/transport-deps.ts';
import { PROJECT_ID, tokenAt } from './bench-tokens.ts';

/** What the sink allows on one session, as FCM does. */
const STREAMS = 100;

/** Our transport as the dispatcher uses it: as many sends in flight as it takes, each settling alone. */
export async function ownFcm(
  target: Target,
  choice: PostClientChoice,
  sessions: number,
): Promise<Contender> {
  const transport = await openOwnFcm(target, choice, sessions);
  const message = await benchMessage('real');
  return {
    run: async (messages) => {
      const addressAt = (i: number) => ({ transport: 'fcm', token: tokenAt(i) }) as const;
      await sendAll(transport, message, addressAt, messages);
      return undefined;
    },
    close: () => transport.close(),
  };
}

/** The FCM transport with the HTTP/2 client that `choice` names, its sessions open. */
export async function openOwnFcm(
  target: Target,
  choice: PostClientChoice,
  sessions: number,
): Promise<Transport<FcmAddress>> {
  const tokens = new AccessTokens({
    fetchToken: () => Promise.resolve({ value: 'bench', expiresAtMs: Date.now() + TTL_MS }),
    clock: systemClock,
    random: Math.random,
    onRefresh: () => undefined,
  });
  const pool = openHttp2Client(
    choice,
    { origin: `https://localhost:${target.port}`, sessions, ca: target.certPem },
    { random: Math.random, onConnection: () => undefined },
  );
  const transport = guardTransport(
    createFcmTransport({ projectId: PROJECT_ID, sessions }, { pool, tokens, clock: systemClock }),
    transportDeps(),
  );
  await transport.warmUp();
  await untilOpen(pool, sessions * STREAMS);
  return transport;
}
