import { createRequire } from 'node:module';
import { benchMessage } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { PROJECT_ID, tokenAt } from './bench-tokens.ts';
import { BATCH, BenchCredential } from './firebase-admin.ts';
import { libraryMessage, plainMessage } from './library-message.ts';
import { redirectHttp2 } from './redirect.ts';

/** fcm-v1-http2 with its own settings: 10 sessions of 100 streams, opened anew for each call. */
export async function fcmV1Http2(target: Target): Promise<Contender> {
  redirectHttp2(target);
  const { default: Client } = await import('fcm-v1-http2');
  giveTokenAtOnce();
  const client = new Client({
    serviceAccount: {
      project_id: PROJECT_ID,
      client_email: 'bench@example.com',
      private_key: 'not used',
    },
    maxConcurrentConnections: 10,
    maxConcurrentStreamsAllowed: 100,
  });
  const message = plainMessage(await benchMessage('real'));
  return {
    run: async (messages) => {
      const tokens = Array.from({ length: messages }, (_, i) => tokenAt(i));
      const unregistered = await client.sendMulticast(message, tokens);
      if (unregistered.length > 0) throw new Error('tokens were called unregistered');
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** It fetches an access token for each call; here the one who would fetch it says one at once. */
function giveTokenAtOnce(): void {
  const ofPackage = createRequire(createRequire(import.meta.url).resolve('fcm-v1-http2'));
  const { google } = ofPackage('googleapis');
  google.auth.JWT.prototype.authorize = (
    done: (error: null, tokens: { access_token: string }) => void,
  ) => done(null, { access_token: 'bench' });
}

/** Parse Server's adapter: all calls of 500 at once, each by its firebase-admin's sendEachForMulticast. */
export async function parseAdapter(target: Target): Promise<Contender> {
  redirectHttp2(target);
  const ofPackage = createRequire(createRequire(import.meta.url).resolve('@parse/push-adapter'));
  ofPackage('npmlog').level = 'silent';
  const { initializeApp } = ofPackage('firebase-admin/app');
  initializeApp({ projectId: PROJECT_ID, credential: new BenchCredential() });
  const { default: ParsePushAdapter } = await import('@parse/push-adapter');
  const adapter = new ParsePushAdapter({ android: { firebaseServiceAccount: {} } });
  const { token: _token, ...rawPayload } = libraryMessage(await benchMessage('real'), '');
  return {
    run: async (messages) => {
      for (let sent = 0; sent < messages; sent += PER_CALL) {
        const devices = Array.from({ length: Math.min(PER_CALL, messages - sent) }, (_, i) => ({
          deviceType: 'android',
          deviceToken: tokenAt(sent + i),
        }));
        const results = await adapter.send({ rawPayload }, devices);
        const failed = results.flat().find(({ transmitted }) => !transmitted);
        if (failed) throw new Error(`a push failed: ${JSON.stringify(failed.response)}`);
      }
      return undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** Tokens repeat after this many, and the adapter drops repeats of one call. */
const PER_CALL = 4 * BATCH;
