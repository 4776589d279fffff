import { isIP } from 'node:net';
import { z } from 'zod';

/** `https://host` or `https://host:port`; a trailing slash is taken off. */
export const httpsOrigin = z
  .url({ protocol: /^https$/, error: 'must be an https origin, such as https://localhost:8491' })
  .transform((text) => new URL(text).origin);

/**
 * What a socket needs of an `https://host[:port]`: IPv6 without its brackets, and a name to ask for (RFC 6066 section 3)
 * only where there is one.
 */
export function socketAddress(origin: string): { host: string; port: number; servername?: string } {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: port === '' ? 443 : Number(port),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  };
}
