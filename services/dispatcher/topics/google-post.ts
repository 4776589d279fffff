import { type Answer, retryAfterMs } from '../transports/outcome.ts';

/** The most that is read of an answer: a result for each of a thousand tokens is 30 KB. */
const MAX_ANSWER_BYTES = 256 * 1024;
const DEADLINE_MS = 10_000;

/**
 * One POST of JSON to one of Google's services, over a connection that has nothing to do with those of the transport:
 * topics are a second way, and there are few of these. Resolves undefined when there was no answer. Never rejects.
 */
export async function googlePost(
  url: string,
  { token, body, signal }: { token: string; body: string; signal: AbortSignal },
): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      headers: {
        authorization: `Bearer ${token}`,
        // The Instance ID service takes a bearer for a server key of old unless this says what it is.
        access_token_auth: 'true',
        'content-type': 'application/json',
      },
      body,
    });
    return {
      kind: 'answer',
      status: response.status,
      retryAfter: response.headers.get('retry-after') ?? undefined,
      body: await readBounded(response),
    };
  } catch {
    return undefined;
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** How long to leave a service alone after an answer that was no success. */
export function askedWaitMs(answer: Answer, leastMs: number, nowMs: number): number {
  return Math.max(leastMs, retryAfterMs(answer.retryAfter, nowMs) ?? 0);
}
