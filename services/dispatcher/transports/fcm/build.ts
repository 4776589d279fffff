import { ConfigError } from '../../../../shared/config/parse-env.ts';
import { readJsonFile } from '../../../../shared/config/read-file.ts';
import type { FcmAddress } from '../../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../../shared/time/clock.ts';
import { HTTP2_POOL_DEFAULTS, Http2Pool } from '../http2-pool.ts';
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
export function buildFcmTransport(config: FcmEnv, deps: TransportEventDeps): Transport<FcmAddress> {
  const tokens = new AccessTokens({
    fetchToken: tokenSource(config),
    clock: systemClock,
    random: Math.random,
    onRefresh: (event) => tokenRefreshed(deps, event),
  });
  const pool = new Http2Pool(
    { ...HTTP2_POOL_DEFAULTS, origin: config.FCM_ORIGIN, sessions: config.FCM_SESSIONS },
    {
      random: Math.random,
      onConnection: (event, detail) => connectionChanged(deps, event, detail),
    },
  );
  return createFcmTransport(
    { projectId: config.FCM_PROJECT_ID, sessions: config.FCM_SESSIONS },
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
