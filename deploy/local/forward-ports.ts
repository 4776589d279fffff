import { connect, createServer, type Server, type Socket } from 'node:net';

const CONNECT_MS = 5_000;
const MAX_CONNECTIONS = 2_000;

export interface Forwarding {
  /** Listens on 127.0.0.1 at this port. */
  readonly port: number;
  readonly toAddress: string;
}

/** Brings connections to loopback ports of this machine to the same ports of other addresses, until it is closed. */
export async function forwardPorts(
  forwardings: readonly Forwarding[],
): Promise<{ close: () => Promise<void> }> {
  const open = new Set<Socket>();
  const servers: Server[] = [];
  const close = async () => {
    for (const socket of open) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  };
  try {
    for (const forwarding of forwardings) servers.push(await forward(forwarding, open));
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function forward({ port, toAddress }: Forwarding, open: Set<Socket>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: toAddress, port, allowHalfOpen: true, noDelay: true });
    const tooLate = setTimeout(() => far.destroy(), CONNECT_MS);
    far.once('connect', () => clearTimeout(tooLate));
    join(near, far, open);
    join(far, near, open);
  });
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}

/** What comes from one end goes to the other, its end too; when one breaks, so does the other. */
function join(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.once('close', () => {
    open.delete(from);
    if (!from.readableEnded) to.destroy();
  });
}
