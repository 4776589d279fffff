import type { Clock } from '../../shared/time/clock.ts';
import type { DispatchTransport } from './dispatch.ts';
import { FairShare } from './fair-share.ts';
import type { DispatcherMetrics } from './metrics.ts';
import type { Pace } from './pacing/pace.ts';
import type { Transports } from './transports/registry.ts';
import type { Outcome } from './transports/transport.ts';

export interface DispatchTransportsDeps {
  readonly metrics: DispatcherMetrics;
  /** What Google allows the project; push services are paced one by one, inside their transport. */
  readonly fcmPace: Pace;
  /** This process has more to do than it can: retries wait. */
  readonly isBusy: () => boolean;
  readonly onAccepted: (deviceId: string) => void;
  /** Told of each send, for what providers make of our credentials; with Web Push also where it went. */
  readonly onEnded: (outcome: Outcome, endpoint?: string) => void;
  readonly now: Clock;
}

/** The transports as the dispatch uses them: each with its places in flight, each recipient's address to its own kind. */
export function dispatchTransports(
  { fcm, 'web-push': webPush }: Transports,
  { metrics, fcmPace, isBusy, onAccepted, onEnded, now }: DispatchTransportsDeps,
): DispatchTransport[] {
  const all: DispatchTransport[] = [
    {
      kind: 'fcm',
      share: new FairShare(fcm.maxInFlight, { pace: fcmPace, now }, isBusy),
      send: ({ deviceId, address }, message, signal, settle) => {
        if (address.transport !== 'fcm') throw new Error('not an FCM address');
        fcm.send(address, message, signal, (outcome) => {
          if (outcome.kind === 'accepted') onAccepted(deviceId);
          onEnded(outcome);
          settle(outcome);
        });
      },
    },
    {
      kind: 'web-push',
      share: new FairShare(webPush.maxInFlight, undefined, isBusy),
      send: ({ deviceId, address }, message, signal, settle) => {
        if (address.transport !== 'web-push') throw new Error('not a Web Push address');
        webPush.send(address, message, signal, (outcome) => {
          if (outcome.kind === 'accepted') onAccepted(deviceId);
          onEnded(outcome, address.endpoint);
          settle(outcome);
        });
      },
    },
  ];
  metrics.watchInFlight(() =>
    all.map(({ kind, share }) => ({ transport: kind, inFlight: share.inFlight })),
  );
  return all;
}
