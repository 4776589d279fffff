import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { DeviceReceipt, DeviceReceiptCounts } from '../../../shared/receipt/device-receipt.ts';

const MAX_ALERTS = 1_000;

interface ChangedCounts {
  readonly alertId: string;
  readonly transport: TransportKind;
  readonly counts: NonNullable<DeviceReceiptCounts[TransportKind]>;
}

/** Device receipts as counts: alert → transport → action. People are not followed. */
export interface ReceiptCounts {
  readonly add: (receipt: DeviceReceipt) => void;
  /** Empty for an alert nobody has answered yet. */
  readonly of: (alertId: string) => DeviceReceiptCounts;
  /** What changed since the last call, each as the sum so far. */
  readonly takeChanged: () => ChangedCounts[];
}

/**
 * Keeps at most `maxAlerts` alerts. Anybody may post a receipt with an invented id, so ids of alerts that are not on our
 * page fall out before those that are; among equals the oldest.
 */
export function createReceiptCounts(
  isKnown: (alertId: string) => boolean,
  maxAlerts = MAX_ALERTS,
): ReceiptCounts {
  const byAlert = new Map<string, DeviceReceiptCounts>();
  const changed = new Set<string>();
  const makeRoom = () => {
    if (byAlert.size < maxAlerts) return;
    const ids = [...byAlert.keys()];
    const out = ids.find((id) => !isKnown(id)) ?? ids[0];
    if (out === undefined) return;
    byAlert.delete(out);
    changed.delete(out);
  };
  return {
    add: ({ alertId, transport, action }) => {
      let counts = byAlert.get(alertId);
      if (!counts) {
        makeRoom();
        counts = {};
        byAlert.set(alertId, counts);
      }
      const ofTransport = counts[transport] ?? {};
      ofTransport[action] = (ofTransport[action] ?? 0) + 1;
      counts[transport] = ofTransport;
      changed.add(alertId);
    },
    of: (alertId) => structuredClone(byAlert.get(alertId) ?? {}),
    takeChanged: () => {
      const ids = [...changed];
      changed.clear();
      return ids.flatMap((alertId) =>
        (['fcm', 'web-push'] as const).flatMap((transport) => {
          const counts = byAlert.get(alertId)?.[transport];
          return counts ? [{ alertId, transport, counts: { ...counts } }] : [];
        }),
      );
    },
  };
}
