import { z } from 'zod';
import { AlertId } from '../alert/alert-id.ts';
import { NodeName, TransportKind } from '../envelope/envelope.ts';

/** What a device did with a message that it could verify. */
export const DEVICE_ACTIONS = ['shown', 'replaced', 'taken-down', 'ignored'] as const;

/**
 * A device's answer: it decrypted, verified and acted. No device id: receipts are counted, people are not followed.
 */
export const DeviceReceipt = z.strictObject({
  v: z.literal(1),
  alertId: AlertId,
  transport: TransportKind,
  action: z.enum(DEVICE_ACTIONS),
  via: NodeName,
  receivedAt: z.iso.datetime(),
});
export type DeviceReceipt = z.infer<typeof DeviceReceipt>;

/** Device receipts of one alert as edge counts them: transport → action → how many. */
export const DeviceReceiptCounts = z.partialRecord(
  TransportKind,
  z.partialRecord(z.enum(DEVICE_ACTIONS), z.int().nonnegative()),
);
export type DeviceReceiptCounts = z.infer<typeof DeviceReceiptCounts>;
