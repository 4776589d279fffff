import type { Clock } from '../../shared/time/clock.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { FaultSwitches } from './faults.ts';
import type { FindFcmReceiver } from './fcm-devices.ts';
import { createFcmEndpoint, projectOfSendPath } from './fcm-endpoint.ts';
import type { FcmTopics } from './fcm-topics.ts';
import { createIidEndpoint, isIidPath, MAX_IID_BODY_BYTES } from './iid-endpoint.ts';
import { createOauthEndpoint } from './oauth-endpoint.ts';
import type { ProviderRoute } from './provider-server.ts';
import type { ProviderStats } from './provider-stats.ts';
import { createVapidVerifier } from './vapid.ts';
import {
  createWebPushEndpoint,
  tokenOfEndpointPath,
  tokenOfFcmEndpointPath,
} from './web-push-endpoint.ts';
import type { FindWebPushReceiver } from './web-push-receivers.ts';

interface ProviderRoutesDeps {
  readonly serviceAccount: { readonly email: string; readonly publicKeyPem: string };
  readonly projectId: string;
  readonly accessTokens: AccessTokens;
  readonly faults: FaultSwitches;
  readonly stats: ProviderStats;
  readonly findFcm: FindFcmReceiver;
  readonly topics: FcmTopics;
  readonly findWebPush: FindWebPushReceiver;
  /** Browsers whose push service is FCM. */
  readonly findFcmWebPush: FindWebPushReceiver;
  readonly origin: () => string;
  readonly now: Clock;
  readonly random: () => number;
}

/**
 * What a browser's endpoint begins with is built into it: the first in Google Chrome, the second in a Chromium that
 * somebody else has built (Chromium, components/push_messaging/push_messaging_constants.cc).
 */
const CHROMIUM_PUSH_ORIGINS = ['https://fcm.googleapis.com', 'https://jmt17.google.com'];

/** Which provider answers which address of the HTTPS port. */
export async function createProviderRoutes(deps: ProviderRoutesDeps): Promise<ProviderRoute[]> {
  const oauth = await createOauthEndpoint({
    ...deps,
    isRevoked: () => deps.faults.current().fcm.revoked,
  });
  const fcm = createFcmEndpoint({
    ...deps,
    find: deps.findFcm,
    faults: () => deps.faults.current().fcm,
    onSent: (node) => deps.stats.sentBy('fcm', node),
  });
  const iid = createIidEndpoint({ ...deps, faults: () => deps.faults.current().fcm });
  const verifyVapid = createVapidVerifier();
  const webPush = createWebPushEndpoint({
    ...deps,
    find: deps.findWebPush,
    tokenOf: tokenOfEndpointPath,
    verifyVapid,
    audiences: () => [deps.origin()],
    faults: () => deps.faults.current().webPush,
  });
  const fcmWebPush = createWebPushEndpoint({
    ...deps,
    find: deps.findFcmWebPush,
    tokenOf: tokenOfFcmEndpointPath,
    verifyVapid,
    audiences: () => [deps.origin(), ...CHROMIUM_PUSH_ORIGINS],
    faults: () => deps.faults.current().fcm,
  });
  return [
    {
      matches: (method, path) => method === 'POST' && tokenOfEndpointPath(path) !== undefined,
      provider: 'webPush',
      answer: webPush,
    },
    {
      matches: (method, path) => method === 'POST' && tokenOfFcmEndpointPath(path) !== undefined,
      provider: 'fcm',
      answer: fcmWebPush,
    },
    {
      matches: (method, path) => method === 'POST' && projectOfSendPath(path) !== undefined,
      provider: 'fcm',
      answer: fcm,
    },
    {
      matches: (method, path) => method === 'POST' && isIidPath(path),
      provider: 'fcm',
      maxBodyBytes: MAX_IID_BODY_BYTES,
      answer: iid,
    },
    {
      matches: (method, path) => method === 'POST' && path === '/token',
      provider: undefined,
      answer: oauth,
    },
  ];
}
