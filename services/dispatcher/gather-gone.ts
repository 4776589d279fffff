import type { TransportKind } from '../../shared/envelope/envelope.ts';

/** Shards of one alert that are answered within this time are judged as one: a storm shows in their sum. */
const GATHER_MS = 2_000;

type ReportGone = (transport: TransportKind, deviceIds: readonly string[], sent: number) => void;

interface Gathered {
  readonly deviceIds: string[];
  sent: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Holds back what providers call gone until it can be judged together: the first shard of a small audience may have two
 * devices, and nothing in it would say that it is a storm (P9). What is held when the process ends stays subscribed, and
 * its provider says gone again at the next send.
 */
export function gatherGone(report: ReportGone): { reportGone: ReportGone; close: () => void } {
  const gathered = new Map<TransportKind, Gathered>();
  const pass = (transport: TransportKind) => {
    const found = gathered.get(transport);
    gathered.delete(transport);
    if (found) report(transport, found.deviceIds, found.sent);
  };
  return {
    reportGone: (transport, deviceIds, sent) => {
      if (deviceIds.length === 0) return;
      const found = gathered.get(transport) ?? {
        deviceIds: [],
        sent: 0,
        timer: setTimeout(() => pass(transport), GATHER_MS),
      };
      gathered.set(transport, found);
      for (const deviceId of deviceIds) found.deviceIds.push(deviceId);
      found.sent += sent;
    },
    close: () => {
      for (const { timer } of gathered.values()) clearTimeout(timer);
      gathered.clear();
    },
  };
}
