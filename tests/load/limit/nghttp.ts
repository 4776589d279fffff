import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { CleanupStack } from '../../../shared/lifecycle/cleanup-stack.ts';
import { sleep } from '../../../shared/time/sleep.ts';

/** nghttp2's own programs are not on this machine. */
export class NghttpMissing extends Error {
  override readonly name = 'NghttpMissing';
}

const STARTS_WITHIN_MS = 5_000;
const MAX_STREAMS = 100;

/** The path of the one file that the server has; what follows the question mark may differ. */
export const LIMIT_PATH = '/wpush';

/** Throws NghttpMissing with what to do when h2load or nghttpd can't be run. */
export function checkNghttp(): void {
  const missing = ['nghttpd', 'h2load'].filter(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length > 0)
    throw new NghttpMissing(
      `${missing.join(' and ')} not found on PATH: the limit is not measured. Debian: apt-get install nghttp2-server nghttp2-client`,
    );
}

/** nghttp2's HTTP/2 server, in C++; it takes every POST. Resolves to its port. */
export async function startNghttpd(
  { keyPem, certPem, folder }: { keyPem: string; certPem: string; folder: string },
  cleanup: CleanupStack,
): Promise<number> {
  checkNghttp();
  const root = join(folder, 'htdocs');
  mkdirSync(root);
  writeFileSync(join(root, LIMIT_PATH), '');
  const [key, cert] = [join(folder, 'nghttpd-key.pem'), join(folder, 'nghttpd-cert.pem')];
  writeFileSync(key, keyPem, { mode: 0o600 });
  writeFileSync(cert, certPem);
  const port = await freePort();
  const args = ['-a', '127.0.0.1', '-m', String(MAX_STREAMS), '-d', root];
  const child = spawn('nghttpd', [...args, String(port), key, cert], { stdio: 'ignore' });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  cleanup.add('nghttpd', async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await untilOpen(port);
  return port;
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function untilOpen(port: number): Promise<void> {
  const endMs = performance.now() + STARTS_WITHIN_MS;
  while (!(await isOpen(port))) {
    if (performance.now() > endMs) throw new Error('nghttpd did not start');
    await sleep(20);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
