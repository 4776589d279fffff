import { createHash } from 'node:crypto';
import { z } from 'zod';
import { errorFields } from '../../../../shared/log/error-fields.ts';
import type { Logger } from '../../../../shared/log/logger.ts';
import type { DeviceIdentity } from '../../../../shared/mcs/check-in.ts';
import { DeviceId } from '../../../../shared/subscription/subscription.ts';
import { newDeviceId, stateFile } from '../probe-state.ts';
import type { FcmApp, FcmServers } from './fcm-probe-config.ts';
import type { PostDeps } from './post-https.ts';
import { MAX_RECEIVED_IDS, withReceivedId } from './received-ids.ts';
import { checkIn, registerApp } from './register-device.ts';

const Digits = z.string().regex(/^\d{1,20}$/);
const McsState = z.object({
  deviceId: DeviceId,
  identity: z.object({ androidId: Digits, securityToken: Digits }).optional(),
  /** The token, and the fingerprint of the app and the server that it was given for. */
  registration: z.object({ token: z.string(), of: z.string() }).optional(),
  receivedIds: z.array(z.string().max(500)).max(MAX_RECEIVED_IDS).default([]),
});
type McsState = z.infer<typeof McsState>;

interface RegisteredDeviceOptions {
  readonly servers: FcmServers;
  readonly app: FcmApp;
  readonly dataDir: string;
}

/** What a device of Google's is and has, kept on disk: a restart is the same device at the same address. */
export interface RegisteredDevice {
  /** Who the probe is for the edge; not Google's word for it. */
  readonly deviceId: string;
  /** The address at FCM, once there is one. */
  readonly token: () => string | undefined;
  /**
   * Checks in and registers where that is still to do. Undefined: Google has refused who we were, ask again. Rejects with
   * FcmRegistrationError.
   */
  readonly become: (signal: AbortSignal) => Promise<DeviceIdentity | undefined>;
  /** Everything that the servers gave is worth nothing any more. */
  readonly forget: () => void;
  /** Persistent ids of messages that were taken, the newest last. */
  readonly receivedIds: () => readonly string[];
  readonly remember: (persistentId: string) => void;
}

export function createRegisteredDevice(
  { servers, app, dataDir }: RegisteredDeviceOptions,
  { ca, log }: Omit<PostDeps, 'signal'> & { readonly log: Logger },
): RegisteredDevice {
  const file = stateFile(dataDir, 'probe-fcm', McsState);
  let state: McsState = file.read() ?? { deviceId: newDeviceId(), receivedIds: [] };
  const { deviceId } = state;
  const keep = (next: Omit<McsState, 'deviceId'>) => {
    state = { ...next, deviceId };
    file.write(state);
  };
  keep(state);
  const of = fingerprint([servers.registerUrl, ...Object.values(app)]);
  const token = () => (state.registration?.of === of ? state.registration.token : undefined);
  let checkedIn = false;
  const forget = () => {
    checkedIn = false;
    keep({ receivedIds: [] });
  };
  const checkInOnce = async (deps: PostDeps) => {
    if (checkedIn) return;
    try {
      const identity = await checkIn(servers, state.identity, deps);
      if (identity.androidId !== state.identity?.androidId) keep({ identity, receivedIds: [] });
      checkedIn = true;
    } catch (error) {
      // Who is registered does without: a check-in that is down says nothing of the stream.
      if (token() === undefined) throw error;
      log.warn(errorFields(error), 'FCM check-in failed; the identity at hand is used');
    }
  };
  return {
    deviceId,
    token,
    become: async (signal) => {
      await checkInOnce({ ca, signal });
      const { identity } = state;
      if (identity === undefined || token() !== undefined) return identity;
      const registered = await registerApp(servers, app, identity, { ca, signal });
      if (registered === 'identity-refused') {
        forget();
        return undefined;
      }
      keep({ ...state, registration: { token: registered.token, of } });
      return identity;
    },
    forget,
    receivedIds: () => state.receivedIds,
    remember: (persistentId) =>
      keep({ ...state, receivedIds: [...withReceivedId(state.receivedIds, persistentId)] }),
  };
}

/** Other words give another one; the words themselves cannot be read from it. */
function fingerprint(words: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url');
}
