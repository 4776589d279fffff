import { receive } from '../../shared/device/receive.ts';
import type { Clock } from '../../shared/time/clock.ts';
import { DecryptError, decryptWebPush } from '../../shared/web-push/decrypt.ts';
import type { CrowdPlace } from './crowd-directory.ts';
import { type CrowdReceipts, receiptOf } from './crowd-receipts.ts';

/** A message that a provider hands to one device of a crowd. */
export interface Arrival extends CrowdPlace {
  /** Encrypted body (Web Push) or `data` (FCM). */
  readonly content: Buffer | Readonly<Record<string, string>>;
}

export interface ReadDeps {
  readonly receipts: CrowdReceipts;
  /** Told of each Web Push message that a device decrypted: FCM's are known before. */
  readonly onWebPushRead: (node: string | undefined) => void;
  readonly now: Clock;
  readonly random: () => number;
}

/** One message on one device, as a phone would take it: decrypt, then the code that every device runs. */
export async function readArrival(arrival: Arrival, deps: ReadDeps): Promise<void> {
  const { crowd, position, device } = arrival;
  const store = crowd.memories[position];
  if (!store) return;
  const payload = clearPayload(arrival);
  if (payload === 'undecryptable') {
    crowd.tally.unread.undecryptable++;
    return;
  }
  const received = await receive(payload, {
    verify: crowd.verify,
    accepts: ['public'],
    store,
    now: deps.now,
  });
  const atMs = deps.now();
  crowd.tally.record(position, received, atMs);
  if (device.transport === 'web-push') deps.onWebPushRead(received.via);
  const { edgeUrl, receiptShare } = crowd.setup;
  if (edgeUrl === undefined || deps.random() >= receiptShare) return;
  const receipt = receiptOf(received, device.transport, atMs);
  if (receipt) deps.receipts.send(edgeUrl, receipt, received.traceId);
}

function clearPayload({ device, content }: Arrival): unknown {
  if (!Buffer.isBuffer(content)) return content;
  if (!device.keys) return 'undecryptable';
  let text: string;
  try {
    text = decryptWebPush(content, device.keys).toString('utf8');
  } catch (error) {
    if (error instanceof DecryptError) return 'undecryptable';
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
