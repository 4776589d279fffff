import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
}

export interface Listening {
  readonly server: Server;
  readonly port: number;
  /** Stops taking connections, lets requests in flight end, then cuts what is left after two seconds. */
  readonly close: () => Promise<void>;
}

/**
 * An HTTP server with short time-outs set explicitly (Node's own would hold a slow client for 60 to 300 s). There is no
 * cap on connections: under attack the cap itself becomes the outage.
 */
export function listen(
  handler: RequestListener,
  { host, port }: ListenOptions,
): Promise<Listening> {
  const server = createServer(
    {
      headersTimeout: 5_000,
      requestTimeout: 15_000,
      keepAliveTimeout: 10_000,
      connectionsCheckingInterval: 1_000,
    },
    handler,
  );
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `port ${port} on ${host} is taken: stop what uses it or choose another port`,
              { cause: error },
            )
          : error,
      );
    });
    server.listen({ host, port }, () => {
      resolve({
        server,
        port: (server.address() as AddressInfo).port,
        close: () => closeServer(server),
      });
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), 2_000);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
