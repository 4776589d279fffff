import { isAllowedPushEndpoint } from '../../../../shared/subscription/push-origin.ts';

/** Where a push message goes: the service's origin and the path there, with the query. */
export interface PushTarget {
  readonly origin: string;
  readonly path: string;
}

/** Strangers choose endpoints: what is remembered of them is bounded. */
const MAX_ORIGINS = 500;
/** An origin that stands in an endpoint just as a parser would write it; user names and the like do not fit. */
const PLAIN_ORIGIN = /^https:\/\/[a-z0-9.-]+(?::[1-9]\d*)?$/;
/** To the end of the endpoint nothing that a parser could change; what nearly all have. Sticky: begins at `lastIndex`. */
const PLAINEST_REST = /\/[!$&(-\-/-;=?-[\]_a-z|~]*$/y;
/** Printable ASCII that a parser leaves as it is. */
const PLAIN_PATH = /^\/[!$%&(-;=?-[\]_a-z|~]*$/;
/** Segments that a parser would take out. */
const DOTS = /\/\.{1,2}(?:[/?]|$)|%2e/i;
/** Whether a parser would leave the path, which begins at `slash`, as it is. */
const isPlain = (endpoint: string, slash: number, path: string) => {
  PLAINEST_REST.lastIndex = slash;
  return PLAINEST_REST.test(endpoint) || (PLAIN_PATH.test(path) && !DOTS.test(path));
};

/**
 * Takes endpoints apart, once per origin with a real parser: undefined when the endpoint is not on a push service that
 * may be called.
 */
export function createPushTargets(
  extraOrigins: readonly string[],
): (endpoint: string) => PushTarget | undefined {
  /** The value is the one copy of the origin's text that everything else looks up by. */
  const known = new Map<string, string | undefined>();
  const allowedOrigin = (text: string): string | undefined => {
    if (known.has(text)) return known.get(text);
    const isAllowed =
      PLAIN_ORIGIN.test(text) &&
      isAllowedPushEndpoint(`${text}/`, extraOrigins) &&
      new URL(text).origin === text;
    const origin = isAllowed ? new URL(text).origin : undefined;
    const oldest = known.keys().next().value;
    if (known.size >= MAX_ORIGINS && oldest !== undefined) known.delete(oldest);
    known.set(text, origin);
    return origin;
  };
  /** Most endpoints are at the origin of the one before. */
  let last = '';
  const originAt = (endpoint: string, slash: number): string | undefined => {
    if (last.length === slash && endpoint.startsWith(last)) return last;
    const origin = allowedOrigin(endpoint.slice(0, slash));
    if (origin !== undefined) last = origin;
    return origin;
  };
  return (endpoint) => {
    const slash = endpoint.indexOf('/', 'https://'.length);
    if (slash > 0) {
      const origin = originAt(endpoint, slash);
      const path = endpoint.slice(slash);
      if (origin !== undefined && isPlain(endpoint, slash, path)) return { origin, path };
    }
    if (!isAllowedPushEndpoint(endpoint, extraOrigins)) return undefined;
    const url = new URL(endpoint);
    return { origin: url.origin, path: url.pathname + url.search };
  };
}
