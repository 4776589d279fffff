import { createServer } from 'node:http';
import { listenOnLoopback } from './listen-on-loopback.ts';

/** Dispatchers that say "stored" and store nothing: what an acknowledgement before the write would be. */
export async function startLiars(): Promise<{
  peers: readonly { name: string; site: string; url: string }[];
  close: () => void;
}> {
  const servers = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const server = createServer((request, response) => {
        request.resume();
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
