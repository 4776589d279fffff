import { ConfigError } from '../../../../shared/config/parse-env.ts';
import { readJsonFile } from '../../../../shared/config/read-file.ts';
import type { FcmAddress } from '../../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { openHttp2Client, type PostClientChoice } from '../http2-client.ts';
import type { Transport } from '../transport.ts';
import {
  connectionChanged,
  type TransportEventDeps,
  tokenRefreshed,
} from '../transport-metrics.ts';
import { AccessTokens } from './access-token.ts';
import type { FcmEnv } from './config.ts';
import { createFcmTransport } from './fcm-transport.ts';
import { firebaseTokenSource, ServiceAccountFile } from './firebase-credential.ts';

/** Reads the service account and opens the sessions. Throws ConfigError. */
export function buildFcmTransport(
  config: FcmEnv & { readonly HTTP2_CLIENT: PostClientChoice },
  deps: TransportEventDeps,
): Transport<FcmAddress> {
  const tokens = new AccessTokens({
    fetchToken: tokenSource(config),
    clock: systemClock,
    random: Math.random,
    onRefresh: (event) => tokenRefreshed(deps, event),
  });
  const { FCM_ORIGIN: origin, FCM_SESSIONS: sessions } = config;
  const pool = openHttp2Client(
    config.HTTP2_CLIENT,
    { origin, sessions },
    {
      random: Math.random,
      onConnection: (event, detail) =>
        connectionChanged(deps, { transport: 'fcm', origin, event, detail }),
    },
  );
  return createFcmTransport(
    { projectId: config.FCM_PROJECT_ID, sessions },
    { pool, tokens, clock: systemClock },
  );
}

function tokenSource(config: FcmEnv) {
  const { FCM_CREDENTIALS_FILE: keyFile, OAUTH_ORIGIN: oauthOrigin } = config;
  readJsonFile(keyFile, ServiceAccountFile, 'FCM_CREDENTIALS_FILE');
  try {
    return firebaseTokenSource({ keyFile, oauthOrigin }, { clock: systemClock });
  } catch (error) {
    throw new ConfigError('FCM_CREDENTIALS_FILE: the service account is not usable', {
      cause: error,
    });
  }
}
