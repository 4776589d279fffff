import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './listen-on-loopback.ts';

export interface Liars {
  /** As DISPATCHERS wants them. */
  readonly peers: readonly { name: string; site: string; url: string }[];
  readonly close: () => void;
}

/**
 * Dispatchers that answer "stored" to every intake before anything is stored: what an acknowledgement before the write
 * would be. With the dispatchers' addresses they pass on what they get, as a dispatcher would write after it has
 * answered, and say nothing of how that ended; without, it is gone.
 */
export async function startLiars(passOnTo?: Readonly<Record<'a' | 'b', string>>): Promise<Liars> {
  const servers = await Promise.all(
    (['a', 'b'] as const).map(async (name) => {
      const server = createServer((incoming, response) => {
        const real = passOnTo?.[name];
        const isIntake = incoming.method === 'POST';
        if (real !== undefined) passOn(real, incoming, isIntake ? undefined : response);
        else incoming.resume();
        if (real !== undefined && !isIntake) return;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ v: 1, result: 'stored', site: name, node: name }));
      });
      return { name, server, port: await listenOnLoopback(server) };
    }),
  );
  return {
    peers: servers.map(({ name, port }) => ({ name, site: name, url: `http://127.0.0.1:${port}` })),
    close: () => {
      for (const { server } of servers) server.close();
    },
  };
}

function passOn(to: string, incoming: IncomingMessage, response: ServerResponse | undefined): void {
  const { method, headers } = incoming;
  const url = new URL(incoming.url ?? '/', to);
  const onward = request(url, { ...(method ? { method } : {}), headers }, (answer) => {
    if (response) {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    } else answer.resume();
  });
  onward.on('error', () => response?.destroy());
  incoming.pipe(onward);
}
