import { once } from 'node:events';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { importPKCS8, SignJWT } from 'jose';
import webPush from 'web-push';
import { WebSocket } from 'ws';
import type { TestSandbox, TestServiceAccount } from './sandbox-tls.ts';

export interface ProviderReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface ProviderClient {
  readonly session: ClientHttp2Session;
  /** Rejects when the connection dies before the answer. */
  post(path: string, headers: OutgoingHttpHeaders, body: string | Buffer): Promise<ProviderReply>;
  close(): void;
}

/** One HTTP/2 connection to the sandbox, as a sender's. */
export function connectProvider(sandbox: TestSandbox): ProviderClient {
  const session = connect(sandbox.origin, { ca: sandbox.caPem });
  session.on('error', () => undefined);
  return {
    session,
    close: () => session.destroy(),
    post: async (path, headers, body) => {
      const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
      stream.end(body);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const ended = once(stream, 'end');
      ended.catch(() => undefined);
      const closed = once(stream, 'close').then(() => {
        throw new Error('the stream ended without an answer');
      });
      closed.catch(() => undefined);
      const [answer] = await Promise.race([once(stream, 'response'), closed]);
      await ended;
      const text = Buffer.concat(chunks).toString('utf8');
      return {
        status: Number(answer[':status']),
        headers: answer,
        body: text === '' ? undefined : JSON.parse(text),
      };
    },
  };
}

/** The assertion that a service account signs to get an access token. */
export async function createAssertion(
  account: TestServiceAccount,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  const key = await importPKCS8(account.privateKeyPem, 'RS256');
  return new SignJWT({
    iss: account.email,
    aud: 'https://oauth2.googleapis.com/token',
    scope: 'https://www.googleapis.com/auth/firebase.messaging',
    iat,
    exp: iat + 3600,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .sign(key);
}

/** Posts the assertion as a client library does. */
export function requestToken(client: ProviderClient, assertion: string): Promise<ProviderReply> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion,
  });
  return client.post(
    '/token',
    { 'content-type': 'application/x-www-form-urlencoded' },
    form.toString(),
  );
}

/** A connection to the sandbox, and the `authorization` that FCM takes from its service account for an hour. */
export async function connectFcmSender(
  sandbox: TestSandbox,
): Promise<{ client: ProviderClient; bearer: string }> {
  const client = connectProvider(sandbox);
  const reply = await requestToken(client, await createAssertion(sandbox.serviceAccount));
  const { access_token: accessToken } = reply.body as { access_token: string };
  return { client, bearer: `Bearer ${accessToken}` };
}

/** Headers of a push message from the sender with these VAPID keys. */
export function vapidHeaders(
  origin: string,
  keys: { publicKey: string; privateKey: string },
  changes: { subject?: string; expiration?: number } = {},
): { authorization: string; ttl: string; 'content-encoding': string } {
  const { subject = 'mailto:ops@example.org', expiration } = changes;
  const { Authorization: authorization } = webPush.getVapidHeaders(
    origin,
    subject,
    keys.publicKey,
    keys.privateKey,
    'aes128gcm',
    expiration,
  );
  return { authorization, ttl: '60', 'content-encoding': 'aes128gcm' };
}

/** A WebSocket whose messages can be awaited one by one, in order. */
export interface Receiver {
  readonly socket: WebSocket;
  send(message: unknown): void;
  /** The next JSON message. Rejects after two seconds, or when the connection ends first. */
  next(): Promise<Record<string, unknown>>;
  /** Close code. */
  closed(): Promise<number>;
  close(): Promise<void>;
}

export async function connectReceiver(url: string, protocol?: string): Promise<Receiver> {
  const socket = new WebSocket(url, protocol);
  const received: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on('message', (raw) => {
    const message = JSON.parse(raw.toString());
    const waiter = waiting.shift();
    if (waiter) waiter(message);
    else received.push(message);
  });
  const ended = new Promise<number>((resolve) => {
    socket.on('close', (code) => resolve(code));
  });
  await once(socket, 'open');
  return {
    socket,
    send: (message) => socket.send(JSON.stringify(message)),
    next: () => {
      const known = received.shift();
      if (known) return Promise.resolve(known);
      return new Promise((resolve, reject) => {
        const tooLate = setTimeout(() => reject(new Error('no message came')), 2_000);
        waiting.push((message) => {
          clearTimeout(tooLate);
          resolve(message);
        });
      });
    },
    closed: () => ended,
    close: async () => {
      socket.close();
      await ended;
    },
  };
}

/** A browser that said hello. */
export async function connectBrowser(sandbox: TestSandbox, uaid?: string) {
  const receiver = await connectReceiver(sandbox.receiversUrl, 'push-notification');
  receiver.send({ messageType: 'hello', use_webpush: true, ...(uaid ? { uaid } : {}) });
  const hello = await receiver.next();
  return { receiver, uaid: String(hello['uaid']), hello };
}
