import {
  DecryptError,
  decryptWebPush,
  type ReceiverKeys,
} from '../../../shared/web-push/decrypt.ts';

/** The JSON in a push, or undefined for what was not encrypted for us. */
export function openPush(body: Buffer, keys: ReceiverKeys): unknown {
  let clear: string;
  try {
    clear = decryptWebPush(body, keys).toString('utf8');
  } catch (error) {
    if (error instanceof DecryptError) return undefined;
    throw error;
  }
  try {
    return JSON.parse(clear);
  } catch {
    // It was encrypted for us all the same: the device's own check says "malformed".
    return null;
  }
}
