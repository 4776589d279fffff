import { Agent, type AgentOptions } from 'node:https';
import type { Socket } from 'node:net';
import { basename, dirname, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { cert } from 'firebase-admin/app';
import { z } from 'zod';
import type { Clock } from '../../../../shared/time/clock.ts';
import type { AccessToken } from './access-token.ts';

/** A Google service account's key file, as far as we read it. */
export const ServiceAccountFile = z.looseObject({
  type: z.literal('service_account'),
  project_id: z.string().min(1),
  client_email: z.string().min(1),
  private_key: z.string().includes('PRIVATE KEY'),
});

export const GOOGLE_OAUTH_ORIGIN = 'https://oauth2.googleapis.com';

/** A connection to the token endpoint carries one request and lives no longer than this. */
const CONNECTION_LIFE_MS = 5_000;

/**
 * Google's libraries have a fixed token address, no deadline, and keep a hanging request as the answer to all later
 * ones. The agent is the one thing of theirs that is ours: it connects to the host that we choose and cuts every
 * connection after five seconds. (The assertion's `aud` stays Google's address.)
 */
class TokenEndpointAgent extends Agent {
  override createConnection(
    options: AgentOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const socket = super.createConnection(options, callback) as Socket | undefined;
    if (socket === undefined) return socket;
    const timer = setTimeout(
      () => socket.destroy(new Error('the token endpoint does not answer')),
      CONNECTION_LIFE_MS,
    );
    socket.once('close', () => clearTimeout(timer));
    return socket;
  }
}

/**
 * A credential keeps its token until five minutes before it ends and can't be asked for another one, so each refresh
 * takes the next of 64 credentials for the same file. Forced refreshes are a minute apart, so the one that comes round
 * again has an outdated token.
 */
const GENERATIONS = 64;

/**
 * Access tokens by firebase-admin from the service account's key file. `oauthOrigin` other than Google's is a stand-in
 * that answers `POST /token`. Throws when the file or its private key can't be read.
 *
 * The file's path is handed over and not its content, because firebase-admin 14 ignores the agent with the latter. It
 * tells credentials apart by the path's text, so each generation spells the path in its own way.
 */
export function firebaseTokenSource(
  options: { keyFile: string; oauthOrigin: string; ca?: string },
  deps: { clock: Clock },
): () => Promise<AccessToken> {
  const { hostname, port, origin } = new URL(options.oauthOrigin);
  const agent = new TokenEndpointAgent({
    keepAlive: false,
    maxSockets: 4,
    ...(origin === GOOGLE_OAUTH_ORIGIN
      ? {}
      : { host: hostname, port: port === '' ? 443 : Number(port), servername: hostname }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const path = resolve(options.keyFile);
  const credential = (generation: number) =>
    cert(`${dirname(path)}${'/.'.repeat(generation)}/${basename(path)}`, agent);
  let generation = 0;
  credential(generation);
  return async () => {
    const token = await credential(generation).getAccessToken();
    generation = (generation + 1) % GENERATIONS;
    return {
      value: token.access_token,
      expiresAtMs: deps.clock() + token.expires_in * 1000,
    };
  };
}
