import { KeptBodies } from './prepared/kept-bodies.ts';
import { PreparedStore } from './prepared/prepared-store.ts';
import { createPushEncryptor, type PushEncryptor } from './prepared/push-encryptor.ts';
import { nodeSealer } from './seal/node-sealer.ts';

/** Encrypts everything on the spot, with keys made for it: for tests, and to compare with. */
export function createFreshEncryptor(): PushEncryptor {
  return createPushEncryptor({
    store: new PreparedStore(0),
    sealer: nodeSealer,
    kept: new KeptBodies(1024 * 1024),
  });
}
