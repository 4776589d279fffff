import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { CANARY_AREA } from '../../../shared/alert/area.ts';
import {
  DeviceId,
  type PushAddress,
  type Subscription,
} from '../../../shared/subscription/subscription.ts';
import { createReceiverKeys } from '../../../shared/web-push/decrypt.ts';

export const AutopushState = z.object({
  deviceId: DeviceId,
  keys: z.object({ privateKey: z.string(), publicKey: z.string(), auth: z.string() }),
  vapidPublicKey: z.string(),
  identity: z.object({ uaid: z.string(), channelId: z.string(), endpoint: z.url() }).optional(),
});
export type AutopushState = z.infer<typeof AutopushState>;

export const FcmState = z.object({ deviceId: DeviceId, token: z.string().optional() });
export type FcmState = z.infer<typeof FcmState>;

/** A small JSON file that survives a restart. */
interface StateFile<State> {
  readonly read: () => State | undefined;
  readonly write: (state: State) => void;
}

/**
 * Keeps one probe's keys and addresses, readable only by us. A file that is missing or damaged is as good as none: the
 * probe then registers as a new device, which costs one registration.
 */
export function stateFile<State>(
  dataDir: string,
  name: string,
  schema: z.ZodType<State>,
): StateFile<State> {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, `${name}.json`);
  return {
    read: () => {
      try {
        return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
      } catch {
        return undefined;
      }
    },
    write: (state) => {
      // Renamed into place, so that a crash leaves the old state or the new one.
      writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
  };
}

export function newDeviceId(): string {
  return randomBytes(16).toString('base64url');
}

/** A state for a probe that has none, or whose endpoint is bound to another VAPID key. */
export function autopushStateFor(
  found: AutopushState | undefined,
  vapidPublicKey: string,
): AutopushState {
  if (found?.vapidPublicKey === vapidPublicKey) return found;
  return {
    deviceId: found?.deviceId ?? newDeviceId(),
    keys: found?.keys ?? createReceiverKeys(),
    vapidPublicKey,
  };
}

/** A probe's subscription: the reserved area and nothing else. */
export function probeSubscription(deviceId: string, address: PushAddress): Subscription {
  return {
    deviceId,
    address,
    areaCodes: [CANARY_AREA],
    language: 'fr-FR',
    appVersion: 'tocsin-canary',
  };
}
