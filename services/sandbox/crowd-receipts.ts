import { z } from 'zod';
import type { Received } from '../../shared/device/receive.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import {
  type DeviceReceipt,
  DeviceReceipt as Receipt,
} from '../../shared/receipt/device-receipt.ts';
import { receiptTrace } from '../../shared/trace/trace-context.ts';
import { createWorkQueue } from './work-queue.ts';

interface PendingReceipt {
  readonly edgeUrl: string;
  readonly receipt: DeviceReceipt;
  readonly traceId: string | undefined;
}

export interface CrowdReceipts {
  /** `traceId`: the alert's, for the header that a browser sends with its receipt too. */
  send(edgeUrl: string, receipt: DeviceReceipt, traceId: string | undefined): void;
  /** `dropped`: too many were waiting. */
  readonly counts: Readonly<Record<'sent' | 'failed' | 'dropped', number>>;
  close(): void;
}

/** What a device tells the edge; undefined where it has nothing to tell. */
export function receiptOf(
  { decision, message, via }: Received,
  transport: TransportKind,
  atMs: number,
): DeviceReceipt | undefined {
  if (message === undefined || via === undefined || decision.action === 'refused') return undefined;
  const receipt = {
    v: 1,
    alertId: message.id,
    transport,
    action: decision.action,
    via,
    receivedAt: new Date(atMs).toISOString(),
  };
  return Receipt.safeParse(receipt).data;
}

/** Sends receipts a few at a time and never makes a device wait for them. An edge that is down loses them: nobody retries. */
export function createCrowdReceipts(): CrowdReceipts {
  const counts = { sent: 0, failed: 0, dropped: 0 };
  const queue = createWorkQueue<PendingReceipt>({
    concurrency: 4,
    limit: 20_000,
    onError: () => {
      counts.failed++;
    },
    work: async ({ edgeUrl, receipt, traceId }) => {
      const url = new URL('/v1/receipts', edgeUrl).href;
      await fetchJson(url, {
        schema: z.unknown(),
        json: receipt,
        timeoutMs: 2_000,
        headers: { ...receiptTrace(traceId) },
      });
      counts.sent++;
    },
  });
  return {
    counts,
    send: (edgeUrl, receipt, traceId) => {
      if (!queue.offer({ edgeUrl, receipt, traceId })) counts.dropped++;
    },
    close: () => queue.close(),
  };
}
