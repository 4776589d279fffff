import { request } from 'node:https';

/** Google's servers could not be asked, or their answer is of no use. The text holds no key and no token. */
export class FcmRegistrationError extends Error {
  override readonly name = 'FcmRegistrationError';
}

export interface HttpsAnswer {
  readonly status: number;
  readonly body: Buffer;
}

export interface PostDeps {
  /** What the server's certificate has to come from, PEM; absent: what Node trusts. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
}

const LIMIT_MS = 10_000;
/** A check-in's answer has settings in it: some tens of kilobytes. */
const MAX_ANSWER_BYTES = 512 * 1024;

/** One POST over HTTPS with the certificate checked, bounded in time and size. Rejects with FcmRegistrationError. */
export function postHttps(
  url: string,
  { headers, body }: { headers: Readonly<Record<string, string>>; body: Buffer | string },
  { ca, signal }: PostDeps,
): Promise<HttpsAnswer> {
  const { host } = new URL(url);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new FcmRegistrationError(`no answer from ${host}`, { cause }));
    const sent = request(
      url,
      {
        method: 'POST',
        agent: false,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        signal: AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]),
        ...(ca === undefined ? {} : { ca }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > MAX_ANSWER_BYTES) answer.destroy(new Error('the answer is too large'));
        });
        answer.once('error', fail);
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks) }),
        );
      },
    );
    sent.once('error', fail);
    sent.end(body);
  });
}
