import type { DispatchTransport } from './dispatch.ts';
import { FairShare } from './fair-share.ts';
import type { DispatcherMetrics } from './metrics.ts';
import type { Transports } from './transports/registry.ts';
import type { Outcome } from './transports/transport.ts';

/** The transports as the dispatch uses them: each with its places in flight, each recipient's address to its own kind. */
export function dispatchTransports(
  transports: Transports,
  metrics: DispatcherMetrics,
  onAccepted: (deviceId: string) => void = () => undefined,
): DispatchTransport[] {
  const { fcm, 'web-push': webPush } = transports;
  const all: DispatchTransport[] = [
    {
      kind: 'fcm',
      share: new FairShare(fcm.maxInFlight),
      send: ({ address }, message, signal) => {
        if (address.transport !== 'fcm') throw new Error('not an FCM address');
        return settled((settle) => fcm.send(address, message, signal, settle));
      },
    },
    {
      kind: 'web-push',
      share: new FairShare(webPush.maxInFlight),
      send: ({ address }, message, signal) => {
        if (address.transport !== 'web-push') throw new Error('not a Web Push address');
        return settled((settle) => webPush.send(address, message, signal, settle));
      },
    },
  ];
  metrics.watchInFlight(() =>
    all.map(({ kind, share }) => ({ transport: kind, inFlight: share.inFlight })),
  );
  return all.map((transport) => ({
    ...transport,
    send: async (recipient, message, signal) => {
      const outcome = await transport.send(recipient, message, signal);
      if (outcome.kind === 'accepted') onAccepted(recipient.deviceId);
      return outcome;
    },
  }));
}

function settled(send: (settle: (outcome: Outcome) => void) => void): Promise<Outcome> {
  return new Promise(send);
}
