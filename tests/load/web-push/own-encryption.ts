import { makeRecord } from '../../../services/dispatcher/transports/web-push/prepared/prepared-record.ts';
import { SLOT_BYTES } from '../../../services/dispatcher/transports/web-push/prepared/prepared-store.ts';
import { decodeKeys } from '../../../services/dispatcher/transports/web-push/prepared/push-encryptor.ts';
import { pushPayload } from '../../../services/dispatcher/transports/web-push/seal/push-payload.ts';
import { createVapidHeaders } from '../../../services/dispatcher/transports/web-push/vapid.ts';
import { createPushHeaders } from '../../../services/dispatcher/transports/web-push/web-push-request.ts';
import { systemClock } from '../../../shared/time/clock.ts';
import { benchMessage, clearTextOf, type Payload, TTL_MS } from '../bench-messages.ts';
import type { Contender } from '../contest/contender.ts';
import { checkReadable, createDevices, createVapidKeys } from './bench-devices.ts';
import { createPreparedDevices } from './prepared-devices.ts';

const ORIGIN = 'https://push.example';
/** More than the messages of a turn. */
const DEVICES = 20_000;

/** What is left to do at alert time when a record was prepared: find it, seal, and the headers. */
export async function ownPrepared(payload: Payload): Promise<Contender> {
  const prepared = createPreparedDevices(ORIGIN, DEVICES);
  const headersFor = createPushHeaders(
    createVapidHeaders(createVapidKeys(), { clock: systemClock }),
  );
  const message = await benchMessage(payload);
  const clear = clearTextOf(message);
  const sealable = pushPayload(clear);
  if (!sealable) throw new Error('the message is too large');
  return {
    prepare: async (messages) => prepared.prepare(messages),
    run: async (messages) => {
      let last: Buffer | undefined;
      for (let i = 0; i < messages; i++) {
        const device = prepared.devices[i];
        if (!device) throw new Error('more messages than devices');
        last = prepared.encryptor.encrypt(sealable, device.keys);
        if (!headersFor(ORIGIN, message, TTL_MS / 1000)['authorization'])
          throw new Error('no authorisation was made');
      }
      prepared.checkAllPrepared();
      const device = prepared.devices[messages - 1];
      if (device && last) checkReadable(device, last, clear);
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** What is done for each subscription before any alert, in a thread of its own and at leisure. */
export async function ownPreparing(): Promise<Contender> {
  const devices = createDevices(ORIGIN);
  const record = Buffer.alloc(SLOT_BYTES);
  return {
    run: async (messages) => {
      for (let i = 0; i < messages; i++) {
        const keys = devices[i % devices.length]?.keys;
        if (!keys || !makeRecord(decodeKeys(keys), record)) throw new Error('no record was made');
      }
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}
