import type { Audience } from '../alert/audience.ts';
import type { CanaryPath, TransportKind } from '../envelope/envelope.ts';

/** A CAP sender such as `pref06@alerte.example` as one token of a subject: no dots, stars or spaces. */
function subjectToken(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 100);
}

export function alertSubject(alert: { audience: Audience; sender: string; id: string }): string {
  return `alert.${alert.audience}.${subjectToken(alert.sender)}.${alert.id}`;
}

/** The same at every writer: however often and by whomever an alert is published, a stream holds it once. */
export function alertMessageId(alert: { id: string; contentHash: string }): string {
  return `${alert.id}:${alert.contentHash}`;
}

/** One subject a device: the stream keeps its last message, which is the device's last state. */
export function registrySubject(deviceId: string): string {
  return `registry.${deviceId}`;
}

export function receiptSubject(receipt: {
  alertId: string;
  transport: TransportKind;
  shard: number;
  node: string;
}): string {
  return `receipt.${receipt.alertId}.${receipt.transport}.${receipt.shard}.${receipt.node}`;
}

/** Device receipts of one alert and transport as one edge has counted them so far. */
export function deviceReceiptSubject(counted: {
  alertId: string;
  transport: TransportKind;
  edge: string;
}): string {
  return `receipt.${counted.alertId}.${counted.transport}.device.${counted.edge}`;
}

/** One subject a path and canary, so that the stream's last message per subject is the path's last proof. */
export function proofSubject(canary: string, path: CanaryPath): string {
  return `proof.${canary}.${path.ingest}_${path.lane}_${path.dispatcher}_${path.transport}`;
}
