import { AutopushClient } from '../../../shared/autopush/autopush-client.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { openPush } from './open-push.ts';
import type { Probe, ProbeEvents } from './probe.ts';
import { AutopushState, autopushStateFor, probeSubscription, stateFile } from './probe-state.ts';

interface AutopushProbeOptions {
  readonly name: string;
  readonly url: string;
  readonly vapidPublicKey: string;
  readonly dataDir: string;
}

interface AutopushProbeDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
}

/** A Web Push receiver on Mozilla's autopush protocol, always connected: what a browser is. */
export function startAutopushProbe(options: AutopushProbeOptions, deps: AutopushProbeDeps): Probe {
  const file = stateFile(options.dataDir, 'probe-web-push', AutopushState);
  let state = autopushStateFor(file.read(), options.vapidPublicKey);
  file.write(state);
  const client = new AutopushClient(
    { url: options.url, vapidPublicKey: options.vapidPublicKey, identity: state.identity },
    {
      log: deps.log,
      random: deps.random,
      onIdentity: (identity) => {
        state = { ...state, identity };
        file.write(state);
        deps.onSubscription(probe);
      },
      onMessage: async (body) => {
        const payload = openPush(body, state.keys);
        if (payload === undefined) {
          deps.onUndecryptable(probe);
          return 'undecryptable';
        }
        await deps.onPayload(probe, payload);
        return 'delivered';
      },
    },
  );
  const probe: Probe = {
    name: options.name,
    transport: 'web-push',
    deviceId: state.deviceId,
    subscription: () => {
      const { keys, identity } = state;
      if (!identity) return undefined;
      return probeSubscription(state.deviceId, {
        transport: 'web-push',
        endpoint: identity.endpoint,
        keys: { p256dh: keys.publicKey, auth: keys.auth },
      });
    },
    connected: () => client.connected,
    renew: () => client.reconnect({ forget: true }),
    close: () => client.close(),
  };
  return probe;
}
