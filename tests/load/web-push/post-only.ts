import { randomBytes } from 'node:crypto';
import {
  openHttp2Client,
  type PostClientChoice,
} from '../../../services/dispatcher/transports/http2-client.ts';
import { SHORT_BYTES } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { pump } from '../contest/send-all.ts';

/** As h2load has them. */
const SESSIONS = 2;
const STREAMS = 100;
const PATHS = 1_024;
const ENCRYPTION_BYTES = 103;
const NEVER = new AbortController().signal;

/** Framing and transport alone: the same body again and again, as the load generator sends it. */
export async function postOnly(
  target: Target,
  choice: PostClientChoice,
  path: string,
): Promise<Contender> {
  const client = openHttp2Client(
    choice,
    { origin: `https://localhost:${target.port}`, sessions: SESSIONS, ca: target.certPem },
    { random: Math.random, onConnection: () => undefined },
  );
  await client.ready;
  const paths = Array.from(
    { length: PATHS },
    () => `${path}?${randomBytes(90).toString('base64url')}`,
  );
  const body = randomBytes(SHORT_BYTES + ENCRYPTION_BYTES);
  const headers = {
    authorization: `vapid t=${randomBytes(180).toString('base64url')}, k=${randomBytes(65).toString('base64url')}`,
    ttl: '3600',
    urgency: 'high',
    'content-encoding': 'aes128gcm',
    'content-type': 'application/octet-stream',
  };
  return {
    run: async (messages) => {
      await pump(SESSIONS * STREAMS, messages, (i, settled) => {
        const post = { path: paths[i % PATHS] ?? path, headers, body, signal: NEVER };
        client.post(post, (exchange) =>
          settled(
            exchange.kind === 'answer' && exchange.status < 300
              ? undefined
              : `a request was ${exchange.kind === 'answer' ? exchange.status : exchange.reason}`,
          ),
        );
      });
      return undefined;
    },
    close: () => client.close(),
  };
}
