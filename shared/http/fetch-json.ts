import type { z } from 'zod';

/** A peer service did not give a usable answer. `status` is absent when there was none. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly status: number | undefined;
  /** The answer's body where it was JSON: a problem document, usually. */
  readonly body: unknown;

  constructor(message: string, options: { status?: number; body?: unknown; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.body = options.body;
  }
}

interface FetchOptions {
  readonly timeoutMs: number;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, as application/jose. */
  readonly text?: string;
  readonly signal?: AbortSignal;
}

export interface FetchJsonOptions<Schema extends z.ZodType> extends FetchOptions {
  readonly schema: Schema;
}

/** The most that we read of a service's answer. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** One request to one of our own services: bounded in time and size, its answer checked. Rejects with FetchError. */
export async function fetchJson<Schema extends z.ZodType>(
  url: string,
  options: FetchJsonOptions<Schema>,
): Promise<z.infer<Schema>> {
  const { text, status } = await request(url, options);
  const parsed = options.schema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new FetchError(`${new URL(url).host} gave an answer we do not understand`, {
      status,
      cause: parsed.error,
    });
  return parsed.data;
}

/** The same for an answer that is no JSON, such as a signed envelope: its text as it came, for the caller to check. */
export async function fetchText(url: string, options: FetchOptions): Promise<string> {
  return (await request(url, options)).text;
}

async function request(
  url: string,
  options: FetchOptions,
): Promise<{ text: string; status: number }> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const body =
    options.text ?? (options.json === undefined ? undefined : JSON.stringify(options.json));
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      redirect: 'error',
      signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      headers: {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(body === undefined
          ? {}
          : {
              'content-type': options.text === undefined ? 'application/json' : 'application/jose',
            }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    text = await readBounded(response);
  } catch (error) {
    throw new FetchError(`no answer from ${new URL(url).host}`, { cause: error });
  }
  if (!response.ok)
    throw new FetchError(`${new URL(url).host} answered ${response.status}`, {
      status: response.status,
      body: parseJson(text),
    });
  return { text, status: response.status };
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error('answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
