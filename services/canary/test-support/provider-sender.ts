import webPush from 'web-push';
import type { Subscription } from '../../../shared/subscription/subscription.ts';
import {
  connectProvider,
  createAssertion,
  type ProviderReply,
  requestToken,
  vapidHeaders,
} from '../../../tests/support/sandbox-client.ts';
import type { TestSandbox } from '../../../tests/support/sandbox-tls.ts';

/** Sends one signed device message to one subscription by the sandbox's providers, as a dispatcher would. */
export interface ProviderSender {
  readonly vapid: webPush.VapidKeys;
  readonly send: (
    subscription: Subscription,
    payload: { alert: string; via: string },
  ) => Promise<ProviderReply>;
  readonly close: () => void;
}

export async function createProviderSender(
  sandbox: TestSandbox,
  vapid = webPush.generateVAPIDKeys(),
): Promise<ProviderSender> {
  const client = connectProvider(sandbox);
  const token = await requestToken(client, await createAssertion(sandbox.serviceAccount));
  const { access_token: accessToken } = token.body as { access_token: string };
  return {
    vapid,
    close: client.close,
    send: ({ address }, payload) => {
      if (address.transport === 'fcm') {
        const message = { token: address.token, data: payload, android: { ttl: '60s' } };
        return client.post(
          `/v1/projects/${sandbox.serviceAccount.projectId}/messages:send`,
          { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
          JSON.stringify({ message }),
        );
      }
      const { p256dh, auth } = address.keys;
      const { cipherText } = webPush.encrypt(p256dh, auth, JSON.stringify(payload), 'aes128gcm');
      const headers = vapidHeaders(sandbox.origin, vapid);
      return client.post(new URL(address.endpoint).pathname, headers, cipherText);
    },
  };
}
