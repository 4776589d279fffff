import { randomBytes } from 'node:crypto';
import { KeptBodies } from '../../../services/dispatcher/transports/web-push/prepared/kept-bodies.ts';
import { makeRecord } from '../../../services/dispatcher/transports/web-push/prepared/prepared-record.ts';
import { PreparedStore } from '../../../services/dispatcher/transports/web-push/prepared/prepared-store.ts';
import {
  createPushEncryptor,
  decodeKeys,
  type PushEncryptor,
} from '../../../services/dispatcher/transports/web-push/prepared/push-encryptor.ts';
import { RECORD_BYTES } from '../../../services/dispatcher/transports/web-push/prepared/record-layout.ts';
import { createSealer } from '../../../services/dispatcher/transports/web-push/seal/create-sealer.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { type BenchDevice, createDevices } from './bench-devices.ts';

/** Devices of a push service for which a dispatcher prepares records ahead of an alert. */
export interface PreparedDevices {
  readonly devices: readonly BenchDevice[];
  readonly encryptor: PushEncryptor;
  /** Makes what the first `count` devices lack; not part of what an alert costs. */
  readonly prepare: (count: number) => void;
  /** Throws unless every message since the last look was sealed under a prepared record. */
  readonly checkAllPrepared: () => void;
}

/** Messages in a turn are for as many different devices: a record is good for one message. */
const KEPT_BYTES = 1 << 20;

/** `count` devices: a thousand keys among them, and each with a secret of its own. */
export function createPreparedDevices(origin: string, count: number): PreparedDevices {
  const withKeys = createDevices(origin);
  const devices = Array.from({ length: count }, (_, i): BenchDevice => {
    const device = withKeys[i % withKeys.length];
    if (!device) throw new Error('no devices');
    const auth = randomBytes(16).toString('base64url');
    return {
      ...device,
      endpoint: `${origin}/wpush/v2/${randomBytes(90).toString('base64url')}`,
      keys: { ...device.keys, auth },
      receiver: { ...device.receiver, auth },
    };
  });
  const store = new PreparedStore(count);
  const sealer = createSealer({ log: createLogger('dispatcher', 'bench', 'silent') });
  const encryptor = createPushEncryptor({ store, sealer, kept: new KeptBodies(KEPT_BYTES) });
  const fingerprint = new Int32Array(3);
  const record = Buffer.alloc(RECORD_BYTES);
  let freshBefore = 0;
  return {
    devices,
    encryptor,
    prepare: (wanted) => {
      for (const { keys } of devices.slice(0, wanted))
        if (store.lacks(keys, fingerprint) && makeRecord(decodeKeys(keys), record))
          store.put(fingerprint, record);
    },
    checkAllPrepared: () => {
      const fresh = encryptor.counts.on_the_spot;
      if (fresh > freshBefore)
        throw new Error(`${fresh - freshBefore} messages had no prepared key`);
      freshBefore = fresh;
    },
  };
}
