import type { Express, RequestHandler } from 'express';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { jsonBody } from '../../../shared/http/app.ts';
import { invalidRequest } from '../../../shared/http/problem.ts';
import { DeviceReceipt } from '../../../shared/receipt/device-receipt.ts';
import type { EdgeEvents } from '../events.ts';
import type { ReceiptCounts } from './receipt-counts.ts';

const MAX_BODY_BYTES = 2 * 1024;

interface Deps {
  readonly counts: ReceiptCounts;
  readonly events: EdgeEvents;
  readonly isCanary: (alertId: string) => boolean;
  readonly internal: RequestHandler;
}

const ON_SCREEN: readonly DeviceReceipt['action'][] = ['shown', 'replaced'];

/** Devices answer here; ingest asks here how many did. */
export function addReceiptRoutes(app: Express, { counts, events, isCanary, internal }: Deps): void {
  app.post('/v1/receipts', jsonBody(MAX_BODY_BYTES), (request, response) => {
    const receipt = DeviceReceipt.safeParse(request.body);
    if (!receipt.success) throw invalidRequest(receipt.error);
    counts.add(receipt.data);
    events.deviceReceipt(receipt.data, request.get('traceparent'));
    const { alertId, action } = receipt.data;
    if (ON_SCREEN.includes(action) && isCanary(alertId)) events.canaryToPublic('device', alertId);
    response.status(204).end();
  });
  app.get('/v1/alerts/:id/receipts', internal, (request, response) => {
    const id = AlertId.safeParse(request.params['id']);
    if (!id.success) throw invalidRequest(id.error);
    response.json(counts.of(id.data));
  });
}
