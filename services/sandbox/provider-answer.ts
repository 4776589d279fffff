/** An answer of a provider, before it is written to a connection. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON when it is there. */
  readonly body?: unknown;
  /** Sent as they are, in place of a body; the headers say what they are. */
  readonly bytes?: Buffer;
}

/** A request as an endpoint sees it: read whole, within its limit. */
export interface ProviderRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One header as text; a header that came twice counts as its first. */
export function headerOf(request: ProviderRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
