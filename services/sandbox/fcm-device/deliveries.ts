import { randomBytes } from 'node:crypto';
import { encodeStanza } from '../../../shared/mcs/stanzas.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { Delivered, FcmDelivery, FcmDevices, FindFcmReceiver } from '../fcm-devices.ts';
import type { FindWebPushReceiver, WebPushDelivery } from '../web-push-receivers.ts';
import type { McsServer } from './mcs-server.ts';
import type { FcmDeviceStore, Registration } from './store.ts';

interface DeliveriesDeps {
  readonly store: Pick<FcmDeviceStore, 'find' | 'keep'>;
  readonly devices: Pick<FcmDevices, 'stateOf'>;
  readonly mcs: Pick<McsServer, 'deliver'>;
  readonly now: Clock;
}

interface Push {
  readonly appData: Readonly<Record<string, string>>;
  readonly rawData?: Buffer;
  readonly collapseKey: string | undefined;
  readonly ttlSeconds: number;
  readonly expiresMs: number;
}

/** Where messages go that are sent to what was registered at check-in and `register3`: into the device's stream. */
export interface FcmDeliveries {
  readonly findFcm: FindFcmReceiver;
  readonly findWebPush: FindWebPushReceiver;
}

export function createFcmDeliveries(deps: DeliveriesDeps): FcmDeliveries {
  return {
    findFcm: (token) => {
      const registration = deps.store.find(token);
      const state = registration && deps.devices.stateOf(token);
      if (registration?.kind !== 'native' || state === undefined) return undefined;
      const deliver = (message: FcmDelivery) => push(registration, nativePush(message), deps);
      return { state, deliver };
    },
    findWebPush: (token) => {
      const registration = deps.store.find(token);
      if (registration?.kind !== 'web') return undefined;
      if (registration.removed) return { kind: 'gone', reason: 'unregistered' };
      const deliver = (message: WebPushDelivery) => push(registration, webPush(message), deps);
      return { kind: 'found', receiver: { vapidKey: registration.sender, deliver } };
    },
  };
}

/** FCM's data messages are the app's own words, in clear. */
function nativePush({ data, collapseKey, ttlSeconds, expiresMs }: FcmDelivery): Push {
  return { appData: data, collapseKey, ttlSeconds, expiresMs };
}

/** RFC 8291: with aes128gcm everything that a browser needs is in the body, and the data only names the encoding. */
function webPush({ body, topic, ttlSeconds, expiresMs }: WebPushDelivery): Push {
  return {
    appData: body.length === 0 ? {} : { 'content-encoding': 'aes128gcm' },
    ...(body.length === 0 ? {} : { rawData: body }),
    collapseKey: topic,
    ttlSeconds,
    expiresMs,
  };
}

function push(to: Registration, message: Push, { store, mcs, now }: DeliveriesDeps): Delivered {
  const nowMs = now();
  const persistentId = `0:${nowMs}${randomBytes(3).readUIntBE(0, 3)}%${randomBytes(8).toString('hex')}`;
  const isKept = message.ttlSeconds > 0;
  const bytes = encodeStanza({
    kind: 'data',
    id: randomBytes(8).toString('hex'),
    from: to.sender,
    category: to.app,
    collapseKey: message.collapseKey,
    appData: to.kind === 'web' ? { ...message.appData, subtype: to.subtype } : message.appData,
    ...(isKept ? { persistentId } : {}),
    ttlSeconds: Math.trunc(message.ttlSeconds),
    sentMs: Math.trunc(nowMs),
    rawData: message.rawData,
    immediateAck: true,
  });
  const { collapseKey, expiresMs } = message;
  if (isKept)
    store.keep(to, { persistentId, bytes, collapseKey, expiresMs: Math.trunc(expiresMs) }, nowMs);
  const isDelivered = mcs.deliver(to.androidId, { ...(isKept ? { persistentId } : {}), bytes });
  if (isDelivered) return 'delivered';
  return isKept ? 'stored' : 'dropped';
}
