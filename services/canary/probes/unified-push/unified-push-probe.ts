import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { Logger } from '../../../../shared/log/logger.ts';
import { DeviceId } from '../../../../shared/subscription/subscription.ts';
import { createReceiverKeys } from '../../../../shared/web-push/decrypt.ts';
import { keepConnected } from '../keep-connected.ts';
import { openPush } from '../open-push.ts';
import type { Probe, ProbeEvents } from '../probe.ts';
import { newDeviceId, probeSubscription, stateFile } from '../probe-state.ts';
import { endpointOf, listenToTopic } from './topic-connection.ts';

interface UnifiedPushOptions {
  readonly name: string;
  /** Base address of the self-hosted push service, such as `https://push.example`. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly dataDir: string;
  readonly ca?: string | undefined;
}

interface UnifiedPushDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
}

const UnifiedPushState = z.object({
  deviceId: DeviceId,
  keys: z.object({ privateKey: z.string(), publicKey: z.string(), auth: z.string() }),
  url: z.string(),
  topic: z.string().regex(/^up[A-Za-z0-9]{12}$/),
});
type UnifiedPushState = z.infer<typeof UnifiedPushState>;

/**
 * A receiver on a self-hosted push service that speaks UnifiedPush as ntfy does: no big provider stands on its way. Its
 * endpoint is a topic that nobody can guess; what is posted there is ordinary encrypted Web Push (RFC 8291).
 */
export function startUnifiedPushProbe(options: UnifiedPushOptions, deps: UnifiedPushDeps): Probe {
  const file = stateFile(options.dataDir, 'probe-unified-push', UnifiedPushState);
  const state = stateFor(file.read(), options.url);
  file.write(state);
  let newest: string | undefined;

  const onBody = async (id: string, body: Buffer) => {
    newest = id;
    const payload = openPush(body, state.keys);
    if (payload === undefined) deps.onUndecryptable(probe);
    else await deps.onPayload(probe, payload);
  };
  const connection = keepConnected((onOpen, signal) => {
    const { url, token, ca } = options;
    return listenToTopic(
      { url, token, ca, topic: state.topic, since: newest },
      {
        onOpen: () => {
          onOpen();
          deps.onSubscription(probe);
        },
        onBody,
      },
      signal,
    );
  }, deps);

  const probe: Probe = {
    name: options.name,
    transport: 'web-push',
    deviceId: state.deviceId,
    subscription: () =>
      probeSubscription(state.deviceId, {
        transport: 'web-push',
        endpoint: endpointOf(state.url, state.topic),
        keys: { p256dh: state.keys.publicKey, auth: state.keys.auth },
      }),
    connected: connection.connected,
    // A topic is never lost at the service: all that can be wrong is the connection.
    renew: connection.drop,
    close: connection.close,
  };
  return probe;
}

/** Another service has never heard of the old topic. */
function stateFor(found: UnifiedPushState | undefined, url: string): UnifiedPushState {
  if (found?.url === url) return found;
  return {
    deviceId: found?.deviceId ?? newDeviceId(),
    keys: found?.keys ?? createReceiverKeys(),
    url,
    topic: newTopic(),
  };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `up` and twelve letters, as ntfy's own app makes them: the server tells UnifiedPush topics by this shape. */
function newTopic(): string {
  return `up${Array.from({ length: 12 }, () => LETTERS[randomInt(LETTERS.length)]).join('')}`;
}
