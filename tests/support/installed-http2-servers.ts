import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../services/dispatcher/transports/test-support/certificate.ts';

const find = (...paths: readonly string[]) => paths.find((path) => existsSync(path));

export const NGHTTPD = find('/usr/bin/nghttpd', '/usr/sbin/nghttpd', '/usr/local/bin/nghttpd');
export const NGINX = find('/usr/sbin/nginx', '/usr/bin/nginx', '/usr/local/bin/nginx');

export interface InstalledServer {
  readonly port: number;
  readonly process: ChildProcess;
  readonly close: () => Promise<void>;
}

/** nghttp2's own server: answers POSTs to `/` with 200, to anything else with 404 and a page. */
export async function startNghttpd(
  certificate: Certificate,
  options: readonly string[] = [],
): Promise<InstalledServer> {
  if (NGHTTPD === undefined) throw new Error('nghttpd is not installed');
  const folder = folderWith(certificate);
  const port = await freePort();
  const files = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const args = ['-d', join(folder, 'www'), ...options, String(port), ...files];
  return run(NGHTTPD, args, folder, port);
}

/** nginx in the foreground with one HTTP/2 server; `locations` and `settings` are in its own words. */
export async function startNginx(
  certificate: Certificate,
  locations: string,
  settings = '',
): Promise<InstalledServer> {
  if (NGINX === undefined) throw new Error('nginx is not installed');
  const folder = folderWith(certificate);
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${join(folder, 'nginx.pid')}; error_log stderr crit;
    events { worker_connections 256; }
    http { access_log off; ${temporary} ${settings}
      server {
        listen 127.0.0.1:${port} ssl http2;
        ssl_certificate ${join(folder, 'cert.pem')}; ssl_certificate_key ${join(folder, 'key.pem')};
        ${locations}
      }
    }`,
  );
  return run(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], folder, port);
}

function folderWith({ key, cert }: Certificate): string {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-http2-server-'));
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'www', 'index.html'), 'ok\n');
  writeFileSync(join(folder, 'key.pem'), key);
  writeFileSync(join(folder, 'cert.pem'), cert);
  return folder;
}

async function run(
  program: string,
  args: readonly string[],
  folder: string,
  port: number,
): Promise<InstalledServer> {
  const process = spawn(program, args, { stdio: 'ignore' });
  const ended = once(process, 'exit');
  const close = async () => {
    if (process.exitCode === null && process.signalCode === null) process.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilItListens(process, port);
  } catch (error) {
    await close();
    throw error;
  }
  return { port, process, close };
}

async function untilItListens(process: ChildProcess, port: number): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs && process.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isThere = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`the server does not listen (exit code ${process.exitCode})`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
