import { z } from 'zod';

/** `https://host` or `https://host:port`; a trailing slash is taken off. */
export const httpsOrigin = z
  .url({ protocol: /^https$/, error: 'must be an https origin, such as https://localhost:8491' })
  .transform((text) => new URL(text).origin);
