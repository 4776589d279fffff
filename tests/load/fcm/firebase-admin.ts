import { Agent } from 'node:https';
import { initializeApp } from 'firebase-admin/app';
import { getMessaging, type Messaging } from 'firebase-admin/messaging';
import { benchMessage, TTL_MS } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { keepInFlight } from '../contest/in-flight.ts';
import { PROJECT_ID, tokenAt } from './bench-tokens.ts';
import { libraryMessage } from './library-message.ts';
import { redirectHttp2 } from './redirect.ts';

/** The most that sendEach takes. */
export const BATCH = 500;
const IN_FLIGHT = 100;

/** A class, because plain objects are copied for each request. Nobody fetches an access token in this benchmark. */
export class BenchCredential {
  getAccessToken() {
    return Promise.resolve({ access_token: 'bench', expires_in: TTL_MS / 1000 });
  }
}

export function createMessaging(httpAgent?: Agent): Messaging {
  const credential = new BenchCredential();
  return getMessaging(
    initializeApp({ projectId: PROJECT_ID, credential, ...(httpAgent ? { httpAgent } : {}) }),
  );
}

/** send(): HTTP/1.1, one call a message, 100 under way. */
export async function adminSend({ port, certPem }: Target): Promise<Contender> {
  const agent = new Agent({
    ...{ host: 'localhost', port, servername: 'localhost', ca: certPem },
    keepAlive: true,
    maxSockets: IN_FLIGHT,
  });
  const messaging = createMessaging(agent);
  const alert = await benchMessage('real');
  return {
    run: async (messages) => {
      await keepInFlight(IN_FLIGHT, messages, async (i) => {
        await messaging.send(libraryMessage(alert, tokenAt(i)));
      });
      return undefined;
    },
    close: async () => agent.destroy(),
  };
}

/** sendEach(): a new HTTP/2 session for each call of 500; `calls` of them at a time. */
export async function adminSendEach(target: Target, calls: number): Promise<Contender> {
  redirectHttp2(target);
  const messaging = createMessaging();
  const alert = await benchMessage('real');
  return {
    run: async (messages) => {
      await keepInFlight(calls, Math.ceil(messages / BATCH), async (call) => {
        const from = call * BATCH;
        const count = Math.min(BATCH, messages - from);
        const batch = Array.from({ length: count }, (_, i) =>
          libraryMessage(alert, tokenAt(from + i)),
        );
        const { failureCount, responses } = await messaging.sendEach(batch);
        const failed = responses.find(({ success }) => !success);
        if (failureCount > 0) throw new Error(`sendEach: ${failed?.error?.message}`);
      });
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}
