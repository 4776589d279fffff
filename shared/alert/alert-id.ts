import { z } from 'zod';
import type { Reference } from './references.ts';

/** 128 bits as lower-case hex: fits a NATS subject, a URL, a notification tag and an APNs collapse id. */
export const AlertId = z.string().regex(/^[0-9a-f]{32}$/);

async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The alert's id everywhere: derived from CAP's identity (sender, identifier, sent), so that two ingests that are given
 * the same message make the same id without talking. Instants are compared, not their spelling: `sent` may carry any offset.
 */
export async function alertId(identity: Reference): Promise<string> {
  const sent = new Date(identity.sent).toISOString();
  const hex = await sha256Hex(JSON.stringify([identity.sender, identity.identifier, sent]));
  return hex.slice(0, 32);
}
