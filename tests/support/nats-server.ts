import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findNatsServer } from '../../deploy/local/nats-server.ts';
import { NATS_USERS, type NatsUser, natsServerConfig } from '../../deploy/nats/server-config.ts';

export interface NatsOptions {
  /** Kept after `close`; without it a temporary folder is used and removed. */
  readonly storeDir?: string;
  /** Default true, as in production. */
  readonly syncAlways?: boolean;
  /** True: the accounts and users of production (see `passwords`). Default: one user without a password who may do all. */
  readonly users?: boolean;
}

/** A real nats-server for one test. */
export interface TestNats {
  readonly url: string;
  readonly monitorUrl: string;
  /** Passwords by user, with `users: true`. */
  readonly passwords: Readonly<Record<NatsUser, string>>;
  /** Files with the same passwords, as NATS_SITES wants them. */
  readonly passwordFiles: Readonly<Record<NatsUser, string>>;
  readonly pid: () => number;
  /** Ends the server by a signal and waits until it is gone. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Starts it again after `kill`, on the same ports and files; resolves when it is healthy. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const HEALTHY_MS = 15_000;
const STATE_DIR = resolve(process.env['STATE_DIR'] || '.tocsin');

/** Starts a nats-server on free ports and resolves when it is healthy. The binary is found as `make run` finds it. */
export async function startNats(options: NatsOptions = {}): Promise<TestNats> {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-nats-'));
  const storeDir = options.storeDir ?? join(folder, 'store');
  mkdirSync(storeDir, { recursive: true });
  const server = await findNatsServer({
    env: process.env,
    binDir: join(STATE_DIR, 'bin'),
    stateDir: folder,
    say: () => undefined,
  });
  const [port, monitorPort] = await freePorts(2);
  const passwords = perUser(() => randomBytes(12).toString('hex'));
  const passwordFiles = perUser((user) => join(folder, `password-${user}`));
  for (const user of NATS_USERS) writeFileSync(passwordFiles[user], passwords[user]);
  const config = join(folder, 'nats.conf');
  writeFileSync(config, configOf(options, { port, monitorPort, storeDir, passwords }));
  const monitorUrl = `http://127.0.0.1:${monitorPort}`;

  let child = spawnServer(server.path, config);
  const kill = async (signal: NodeJS.Signals) => {
    child.process.kill(signal);
    await child.ended;
  };
  const restart = async () => {
    if (child.process.exitCode === null && child.process.signalCode === null)
      throw new Error('it still runs: kill it first');
    child = spawnServer(server.path, config);
    await healthy(monitorUrl, child);
  };
  const close = async () => {
    await kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await healthy(monitorUrl, child);
  } catch (error) {
    await close();
    throw error;
  }
  const pid = () => child.process.pid ?? -1;
  return {
    url: `nats://127.0.0.1:${port}`,
    monitorUrl,
    passwords,
    passwordFiles,
    pid,
    kill,
    restart,
    close,
  };
}

interface Places {
  readonly port: number;
  readonly monitorPort: number;
  readonly storeDir: string;
  readonly passwords: Readonly<Record<NatsUser, string>>;
}

function configOf(options: NatsOptions, places: Places): string {
  const { port, monitorPort, storeDir } = places;
  const syncAlways = options.syncAlways ?? true;
  if (options.users)
    return natsServerConfig({
      ...places,
      serverName: `test-${port}`,
      host: '127.0.0.1',
      syncAlways,
    });
  return `server_name: "test-${port}"
host: "127.0.0.1"
port: ${port}
http: "127.0.0.1:${monitorPort}"
jetstream { store_dir: ${JSON.stringify(storeDir)}${syncAlways ? ', sync_interval: always' : ''}, max_file_store: 8589934592 }
`;
}

function perUser(make: (user: NatsUser) => string): Record<NatsUser, string> {
  return {
    ingest: make('ingest'),
    dispatcher: make('dispatcher'),
    edge: make('edge'),
    canary: make('canary'),
  };
}

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  /** The end of what it wrote. */
  readonly output: () => string;
}

function spawnServer(path: string, config: string): Running {
  // Standard input stays open: a server in a container ends when it closes.
  const child = spawn(path, ['-c', config], { stdio: ['pipe', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  return { process: child, ended, output: () => output };
}

async function healthy(monitorUrl: string, running: Running): Promise<void> {
  for (const end = Date.now() + HEALTHY_MS; Date.now() < end; await delay(30)) {
    if (running.process.exitCode !== null) break;
    const answer = await fetch(`${monitorUrl}/healthz`, {
      signal: AbortSignal.timeout(1_000),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
  }
  throw new Error(`nats-server did not get healthy:\n${running.output()}`);
}

/** Ports that are free now; all are held until the last is known, so that they differ. */
async function freePorts(count: 2): Promise<[number, number]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  const [first = 0, second = 0] = ports;
  return [first, second];
}
