import { z } from 'zod';
import { benchMessage } from '../bench-messages.ts';
import { tokenAt } from '../fcm/bench-tokens.ts';
import { createMessaging } from '../fcm/firebase-admin.ts';
import { libraryMessage } from '../fcm/library-message.ts';
import { openOwnFcm } from '../fcm/own-sending.ts';
import { redirectHttp2 } from '../fcm/redirect.ts';

/**
 * Sends to 100 tokens of which the provider never answers one, and says when the other 99 had their outcome:
 * `stuck-process.ts SETUP`. The first message names the token that has to be stalled; the second order starts it.
 */
const Setup = z.strictObject({
  who: z.enum(['ours', 'sendEach']),
  target: z.strictObject({ port: z.int(), certPem: z.string(), certFile: z.string() }),
});
const { who, target } = Setup.parse(JSON.parse(process.argv[2] ?? ''));

const TOKENS = 100;
const STALLED = 42;
const NEVER = new AbortController().signal;

process.once('disconnect', () => process.exit(0));
const send = who === 'ours' ? await prepareOurs() : await prepareSendEach();
process.once('message', () => void send().then((seconds) => process.send?.(seconds)));
process.send?.({ stalled: tokenAt(STALLED) });

async function prepareOurs(): Promise<() => Promise<{ others: number; all: number }>> {
  const transport = await openOwnFcm(target, 'framed', 6);
  const message = await benchMessage('real');
  return () => {
    const startedMs = performance.now();
    const { promise, resolve } = Promise.withResolvers<{ others: number; all: number }>();
    let settled = 0;
    let others = 0;
    for (let i = 0; i < TOKENS; i++)
      transport.send({ transport: 'fcm', token: tokenAt(i) }, message, NEVER, () => {
        settled++;
        const all = (performance.now() - startedMs) / 1000;
        if (settled === TOKENS - 1) others = all;
        if (settled === TOKENS) resolve({ others, all });
      });
    return promise;
  };
}

/** The others' outcomes are known when the call comes back, not before. */
async function prepareSendEach(): Promise<() => Promise<{ others: number; all: number }>> {
  redirectHttp2(target);
  const messaging = createMessaging();
  const message = await benchMessage('real');
  return async () => {
    const batch = Array.from({ length: TOKENS }, (_, i) => libraryMessage(message, tokenAt(i)));
    const startedMs = performance.now();
    await messaging.sendEach(batch);
    const all = (performance.now() - startedMs) / 1000;
    return { others: all, all };
  };
}
