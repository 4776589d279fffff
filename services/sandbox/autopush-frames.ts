import { z } from 'zod';

/** Lower-case UUID with dashes; anything else is refused by autopush. */
const ChannelId = z.string().regex(/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/);
const Version = z.string().max(300);

const Frame = z.discriminatedUnion('messageType', [
  z.object({
    messageType: z.literal('hello'),
    uaid: z.string().max(100).nullish(),
    use_webpush: z.boolean().optional(),
  }),
  z.object({
    messageType: z.literal('register'),
    // Wrong ones are answered, not cut off.
    channelID: z.string().max(100),
    key: z.string().max(200).nullish(),
  }),
  z.object({ messageType: z.literal('unregister'), channelID: ChannelId, code: z.int().nullish() }),
  z.object({
    messageType: z.literal('ack'),
    updates: z
      .array(z.object({ channelID: ChannelId, version: Version, code: z.int().nullish() }))
      .max(1000),
  }),
  z.object({ messageType: z.literal('nack'), code: z.int().nullish(), version: Version }),
  z.object({ messageType: z.literal('broadcast_subscribe') }),
]);

/** What a browser may say (the wire format of Mozilla's autopush). `{}` is the ping. */
export type AutopushFrame = z.infer<typeof Frame> | { readonly messageType: 'ping' };

/** Undefined for anything that is not a frame: autopush ends such a connection. */
export function parseAutopushFrame(text: string): AutopushFrame | undefined {
  if (text.trim() === '{}') return { messageType: 'ping' };
  try {
    return Frame.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function isChannelId(text: string): boolean {
  return ChannelId.safeParse(text).success;
}
