import { z } from 'zod';
import { openSocket } from '../open-socket.ts';

/** A line of ntfy's stream (docs.ntfy.sh/subscribe/api): `open`, then `message`s, and now and then `keepalive`. */
const Line = z.object({
  id: z.string().max(64),
  event: z.string(),
  topic: z.string(),
  message: z.string().optional(),
  encoding: z.string().optional(),
});

/** The server says that it listens right after the handshake, for which there are 5 s. */
const OPEN_LIMIT_MS = 10_000;

interface TopicAddress {
  /** Base of the service, such as `https://push.example`. */
  readonly url: string;
  readonly topic: string;
  /** What came after this message is sent first; undefined: only what comes from now on. */
  readonly since: string | undefined;
  /** Access token of the service's own user, where it wants one for reading. */
  readonly token?: string | undefined;
  /** Of the service's certificate; default: what Node trusts. */
  readonly ca?: string | undefined;
}

interface TopicEvents {
  readonly onOpen: () => void;
  /** One body as it was posted. */
  readonly onBody: (id: string, body: Buffer) => Promise<void>;
}

/** The address senders post to: `?up=1` has an ntfy server take the body for UnifiedPush's, whatever its headers. */
export function endpointOf(url: string, topic: string): string {
  return new URL(`/${topic}?up=1`, url).href;
}

/** Listens to one topic until the link ends, whatever the reason; aborting the signal ends it. Never rejects. */
export function listenToTopic(
  { url, topic, since, token, ca }: TopicAddress,
  { onOpen, onBody }: TopicEvents,
  signal: AbortSignal,
): Promise<void> {
  const address = new URL(`/${topic}/ws`, url);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  if (since !== undefined) address.searchParams.set('since', since);
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const socket = openSocket(address, signal, { headers, ca });
  const notOpened = setTimeout(() => socket.terminate(), OPEN_LIMIT_MS);
  return new Promise((resolve) => {
    socket.on('message', (data) => {
      const line = parseLine(String(data));
      if (line?.topic !== topic) return;
      if (line.event === 'open') {
        clearTimeout(notOpened);
        onOpen();
      }
      if (line.event === 'message') void onBody(line.id, bodyOf(line));
    });
    socket.once('close', () => {
      clearTimeout(notOpened);
      resolve();
    });
  });
}

/** Binary bodies, as encrypted ones are, come as base64; one that happens to be text comes as it is. */
function bodyOf({ message = '', encoding }: z.infer<typeof Line>): Buffer {
  return Buffer.from(message, encoding === 'base64' ? 'base64' : 'utf8');
}

function parseLine(text: string): z.infer<typeof Line> | undefined {
  try {
    return Line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
