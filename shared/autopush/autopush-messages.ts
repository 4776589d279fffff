import { z } from 'zod';

/** Autopush's codes for what became of a notification (`ack`): decrypted and taken, or not decryptable. */
export const ACK_DELIVERED = 100;
export const ACK_DECRYPT_ERROR = 101;

const Hello = z.object({
  messageType: z.literal('hello'),
  status: z.int(),
  uaid: z.string().max(100).optional(),
});

const Register = z.object({
  messageType: z.literal('register'),
  status: z.int(),
  channelID: z.string().max(100),
  pushEndpoint: z.string().max(1000).optional(),
});

const Notification = z.object({
  messageType: z.literal('notification'),
  channelID: z.string().max(100),
  version: z.string().max(2000),
  data: z.string().max(8192).optional(),
  headers: z.object({ encoding: z.string().max(60).optional() }).optional(),
});
export type NotificationMessage = z.infer<typeof Notification>;

/**
 * What an autopush server says to a receiver. Fields that we do not use are dropped, not refused: the real service adds
 * some (`broadcasts`, `use_webpush`).
 */
const ServerMessage = z.discriminatedUnion('messageType', [Hello, Register, Notification]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/** One frame of text: a message, `pong` (the answer `{}` to an application ping), or something of no interest. */
export function parseServerMessage(text: string): ServerMessage | 'pong' | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (json !== null && typeof json === 'object' && Object.keys(json).length === 0) return 'pong';
  const parsed = ServerMessage.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}
