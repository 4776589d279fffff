import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type DeviceIdentity,
  decodeCheckInResponse,
  encodeCheckInRequest,
} from '../../../../shared/mcs/check-in.ts';
import { ProtobufError } from '../../../../shared/mcs/protobuf-reader.ts';
import type { FcmApp, FcmServers } from './fcm-probe-config.ts';
import { FcmRegistrationError, type HttpsAnswer, type PostDeps, postHttps } from './post-https.ts';

/** Google refuses what names no version; the number itself is not looked at. */
export const CHROME_VERSION = '140.0.0.0';
/** Versions of what an Android phone would have, as firebase-messaging names them in a registration. */
const PHONE = { sdk: '33', client: 'fcm-24.0.0', playServices: '240913000' } as const;

/**
 * Shows who we are, or asks for an identity. What comes back is another one when the server does not know the given one
 * (any more). Rejects with FcmRegistrationError.
 */
export async function checkIn(
  { checkInUrl }: Pick<FcmServers, 'checkInUrl'>,
  known: DeviceIdentity | undefined,
  deps: PostDeps,
): Promise<DeviceIdentity> {
  const answer = await postHttps(
    checkInUrl,
    {
      headers: { 'content-type': 'application/x-protobuf' },
      body: encodeCheckInRequest(known ? { identity: known } : {}, CHROME_VERSION),
    },
    deps,
  );
  if (answer.status !== 200)
    throw new FcmRegistrationError(`the check-in was answered ${answer.status}`);
  try {
    return decodeCheckInResponse(answer.body);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new FcmRegistrationError('the check-in was not understood', { cause: error });
  }
}

const InstallationAnswer = z.object({
  fid: z.string().min(1).max(100),
  authToken: z.object({ token: z.string().min(1).max(4_000) }),
});

/** Makes the app a Firebase installation, which Google wants of whoever asks for a token since June 2024. */
async function install(
  { installationsOrigin }: Pick<FcmServers, 'installationsOrigin'>,
  app: FcmApp,
  deps: PostDeps,
): Promise<{ fid: string; token: string }> {
  const certificate = app.certificateSha1?.toUpperCase();
  const answer = await postHttps(
    `${installationsOrigin}/v1/projects/${app.projectId}/installations`,
    {
      headers: {
        'content-type': 'application/json',
        'x-goog-api-key': app.apiKey,
        'x-android-package': app.packageName,
        ...(certificate === undefined ? {} : { 'x-android-cert': certificate }),
      },
      body: JSON.stringify({
        fid: newInstallationId(),
        appId: app.appId,
        authVersion: 'FIS_v2',
        sdkVersion: 'a:18.0.0',
      }),
    },
    deps,
  );
  const parsed = InstallationAnswer.safeParse(parseJson(answer.body));
  if (answer.status !== 200 || !parsed.success)
    throw new FcmRegistrationError(`the installation was answered ${answer.status}`);
  return { fid: parsed.data.fid, token: parsed.data.authToken.token };
}

/** 22 characters whose first four bits are 0111, as Firebase's own (firebase-installations, generateFid). */
function newInstallationId(): string {
  const bytes = randomBytes(17);
  bytes[0] = 0b0111_0000 | ((bytes[0] ?? 0) & 0b1111);
  return bytes.toString('base64url').slice(0, 22);
}

/** The token that senders address; `identity-refused`: the identity has to be made anew. Rejects with FcmRegistrationError. */
export async function registerApp(
  servers: Pick<FcmServers, 'installationsOrigin' | 'registerUrl'>,
  app: FcmApp,
  identity: DeviceIdentity,
  deps: PostDeps,
): Promise<{ token: string } | 'identity-refused'> {
  const installation = await install(servers, app, deps);
  const form = new URLSearchParams({
    app: app.packageName,
    device: identity.androidId,
    sender: app.senderId,
    'X-subtype': app.senderId,
    'X-scope': '*',
    'X-appid': installation.fid,
    'X-gmp_app_id': app.appId,
    'X-Goog-Firebase-Installations-Auth': installation.token,
    'X-osv': PHONE.sdk,
    'X-cliv': PHONE.client,
    'X-gmsv': PHONE.playServices,
    app_ver: '1',
    target_ver: PHONE.sdk,
    ...(app.certificateSha1 === undefined ? {} : { cert: app.certificateSha1 }),
  });
  const answer = await postHttps(
    servers.registerUrl,
    {
      headers: {
        authorization: `AidLogin ${identity.androidId}:${identity.securityToken}`,
        'content-type': 'application/x-www-form-urlencoded',
        app: app.packageName,
      },
      body: form.toString(),
    },
    deps,
  );
  return readRegistration(answer);
}

/** One line of text: `token=…` or `Error=WORDS_IN_CAPITALS`. */
export function readRegistration({
  status,
  body,
}: HttpsAnswer): { token: string } | 'identity-refused' {
  const [line = ''] = body.toString('utf8').split('\n', 1);
  const [, token] = /^token=([A-Za-z0-9:_-]{20,400})$/.exec(line.trim()) ?? [];
  if (status === 200 && token !== undefined) return { token };
  const [, error] = /^Error=([A-Za-z0-9_:. -]{1,100})/.exec(line) ?? [];
  if (status === 401 || error === 'AUTHENTICATION_FAILED') return 'identity-refused';
  throw new FcmRegistrationError(`the registration was refused: ${error ?? status}`);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
