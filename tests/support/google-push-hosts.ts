import { Socket } from 'node:net';

/**
 * Loaded into a dispatcher with `--import`: what it sends to Google's push hosts goes to the sandbox instead, as if their
 * names led there. A stock Chromium has these hosts built in, so its endpoints name them. TLS is as always: the sandbox
 * has to show a certificate for the name.
 */
const GOOGLE_PUSH_HOSTS = ['fcm.googleapis.com', 'jmt17.google.com'];
const sandboxPort = Number(new URL(process.env['FCM_ORIGIN'] ?? '').port);

type Connect = (this: Socket, ...args: unknown[]) => Socket;
const connect = Socket.prototype.connect as Connect;

Socket.prototype.connect = function connectToSandbox(this: Socket, ...args: unknown[]): Socket {
  const [options, ...rest] = args;
  const { host } = (options ?? {}) as { host?: unknown };
  if (typeof host !== 'string' || !GOOGLE_PUSH_HOSTS.includes(host))
    return connect.apply(this, args);
  return connect.call(
    this,
    { ...(options as object), host: '127.0.0.1', port: sandboxPort },
    ...rest,
  );
} as typeof Socket.prototype.connect;
