import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { KeyAndCertificate } from '../provider-server.ts';
import { type McsConnection, type McsTimings, serveMcsConnection } from './mcs-connection.ts';
import type { FcmDeviceStore } from './store.ts';

/** A real server waits longer for a ping; ours forgets a dead client sooner. */
export const MCS_TIMINGS: McsTimings = { loginMs: 10_000, pingMs: 240_000 };

const MAX_CONNECTIONS = 20_000;

interface McsServerDeps {
  readonly store: Pick<FcmDeviceStore, 'knows' | 'acknowledge' | 'waiting'>;
  readonly tls: KeyAndCertificate;
  readonly timings: McsTimings;
  readonly now: Clock;
  readonly log: Logger;
}

export interface McsServer {
  readonly port: number;
  /** Hands a message to the device's connection. False: there is none. */
  readonly deliver: (
    androidId: string,
    message: { persistentId?: string; bytes: Buffer },
  ) => boolean;
  readonly close: () => Promise<void>;
}

/** Listens as mtalk.google.com:5228 does: TLS, one stream for each device, the newest connection of a device is the one. */
export async function listenMcs(
  { host, port }: { host: string; port: number },
  { store, tls, timings, now, log }: McsServerDeps,
): Promise<McsServer> {
  const online = new Map<string, McsConnection>();
  const sockets = new Set<TLSSocket>();
  const server = createServer({ key: tls.keyPem, cert: tls.certPem, minVersion: 'TLSv1.2' });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('tlsClientError', (error) => log.debug({ error: error.message }, 'mcs: no TLS'));
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    serveMcsConnection(socket, {
      knows: store.knows,
      acknowledge: store.acknowledge,
      onLogin: (connection) => {
        online.get(connection.androidId)?.replace();
        online.set(connection.androidId, connection);
        for (const message of store.waiting(connection.androidId, now()))
          if (!connection.deliver(message)) return;
      },
      onEnd: (connection) => {
        if (online.get(connection.androidId) === connection) online.delete(connection.androidId);
      },
      timings,
      now,
      log,
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    deliver: (androidId, message) => online.get(androidId)?.deliver(message) ?? false,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
