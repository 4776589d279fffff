import type http2 from 'node:http2';
import { createRequire } from 'node:module';
import type { Target } from '../contest/contender.ts';

/**
 * Makes `http2.connect` of this process lead to the local provider: the packages have FCM's address written into them.
 * Nothing else of theirs is changed, not even firebase-admin's `:scheme: https:`, with a colon too many, which Google
 * takes and the sink too.
 */
export function redirectHttp2({ port, certPem }: Target): void {
  const shared: typeof http2 = createRequire(import.meta.url)('node:http2');
  const connect = shared.connect.bind(shared);
  const redirected = (_authority: string | URL, options?: http2.SecureClientSessionOptions) =>
    connect(`https://localhost:${port}`, { ...options, ca: certPem });
  Object.assign(shared, { connect: redirected });
}
