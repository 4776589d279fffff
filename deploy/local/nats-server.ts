import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { errorFields } from '../../shared/log/error-fields.ts';
import { downloadRelease, fetchFromDebian, wrapDocker } from './nats-download.ts';
import { formatVersion, parseNatsVersion, versionProblem } from './nats-version.ts';
import { runCommand } from './run-command.ts';

/** A nats-server that was run, knows `sync_interval: always`, and can be started as `path -c file`. */
export interface NatsServer {
  readonly path: string;
  readonly version: string;
  /** Where it came from, for people. */
  readonly source: string;
}

/** One way to come to a server. `find` resolves to a file to try, or undefined when this way has none to offer. */
export interface NatsSource {
  readonly name: string;
  /** Said before it is tried, for the ways that take time. */
  readonly announcement?: string;
  /** A server that the user named: when it is unfit we stop and say so instead of taking another one behind their back. */
  readonly binding?: boolean;
  readonly find: () => Promise<string | undefined>;
}

export interface FindOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where copies that we got are kept. */
  readonly binDir: string;
  /** Folder that holds every site's data: a containerised server needs it mounted. */
  readonly stateDir: string;
  readonly say: (line: string) => void;
}

/** No fit nats-server could be found or got; the message lists what was tried and what to do. */
export class NatsServerError extends Error {
  override readonly name = 'NatsServerError';
}

/** All ways to a nats-server, in the order in which they are tried. */
export function natsSources({ env, binDir, stateDir }: Omit<FindOptions, 'say'>): NatsSource[] {
  const named = env['NATS_SERVER'];
  const kept = join(binDir, 'nats-server');
  return [
    { name: 'NATS_SERVER', binding: true, find: async () => (named ? resolve(named) : undefined) },
    { name: 'PATH', find: () => onPath('nats-server', env['PATH'] ?? '') },
    {
      name: 'the copy kept from before',
      find: async () => {
        for (const file of [kept, `${kept}-docker`]) if (await isExecutable(file)) return file;
        return undefined;
      },
    },
    {
      name: "Debian's newer suite",
      announcement:
        "getting nats-server from Debian's newer suite (unpacked into the state folder, nothing is installed)",
      find: () => fetchFromDebian(binDir),
    },
    {
      name: 'the official release',
      announcement:
        'getting the official nats-server release from github.com (checked against a pinned SHA-256)',
      find: () => downloadRelease(binDir, process.arch),
    },
    {
      name: 'Docker',
      announcement: 'asking the Docker engine for the image nats:2.14-alpine',
      find: () => wrapDocker(binDir, stateDir),
    },
  ];
}

/** The first way that leads to a fit server. Rejects with NatsServerError. */
export function findNatsServer(options: FindOptions): Promise<NatsServer> {
  return firstFit(natsSources(options), options.say, checkNatsServer);
}

/** The rule of {@link findNatsServer}, with its ways and its check as arguments. */
export async function firstFit(
  sources: readonly NatsSource[],
  say: (line: string) => void,
  check: (path: string) => Promise<string>,
): Promise<NatsServer> {
  const tried: string[] = [];
  for (const { name, announcement, binding, find } of sources) {
    if (announcement !== undefined) say(announcement);
    let problem: string;
    try {
      const path = await find();
      if (path !== undefined) return { path, version: await check(path), source: name };
      problem = 'none there';
    } catch (error) {
      problem = errorFields(error).error;
      if (binding) throw new NatsServerError(`${name}: ${problem}`, { cause: error });
      say(`  not from ${name}: ${problem}`);
    }
    tried.push(`  ${name}: ${problem}`);
  }
  throw new NatsServerError(
    `there is no fit nats-server and none could be got. Tried:\n${tried.join('\n')}\n` +
      'What to do: put nats-server 2.12 or later on this machine (https://github.com/nats-io/nats-server/releases) ' +
      'and run again with NATS_SERVER=/path/to/nats-server',
  );
}

/**
 * Runs the server's own version and configuration checks. Resolves to its version; rejects when it does not run, is too
 * old, or does not know `sync_interval`.
 */
async function checkNatsServer(path: string): Promise<string> {
  const printed = await runCommand(path, ['--version'], { timeoutMs: 60_000 });
  const version = parseNatsVersion(printed);
  if (version === undefined)
    throw new NatsServerError(
      `${path} is no nats-server: it prints "${printed.trim().slice(0, 100)}"`,
    );
  const problem = versionProblem(path, version);
  if (problem !== undefined) throw new NatsServerError(problem);
  await checkKnowsSyncInterval(path, formatVersion(version));
  return formatVersion(version);
}

async function checkKnowsSyncInterval(path: string, version: string): Promise<void> {
  if (path.endsWith('-docker')) return;
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-check-'));
  try {
    const file = join(folder, 'check.conf');
    await writeFile(file, `jetstream { store_dir: "${folder}", sync_interval: always }\n`);
    await runCommand(path, ['-t', '-c', file], { timeoutMs: 30_000 });
  } catch (error) {
    throw new NatsServerError(`${path} (${version}) does not know JetStream's sync_interval`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first executable of that name on a PATH; Debian keeps servers in /usr/sbin, which is not on a user's PATH. */
async function onPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of [...path.split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin']) {
    const file = join(folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}
