import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from './run-command.ts';

/** Debian's keys, by which apt checks what it downloads. */
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEBIAN_SUITE = 'forky';

/** Official release and its SHA-256 by Node's name of the processor; from the Dockerfiles in nats-io/nats-docker, 2.14.x. */
const RELEASE = '2.14.5';
const RELEASE_SHA256: Readonly<Record<string, { readonly arch: string; readonly sha256: string }>> =
  {
    x64: {
      arch: 'amd64',
      sha256: '5e3b603d47c447bda1f77f9ac16dbf91c90aac4ff3681f8fbbc7201e4ed99355',
    },
    arm64: {
      arch: 'arm64',
      sha256: '673a98d3faa79dde3f9ebf16d6dfac36a5f694e7ad2015e4954dd7939c85cd4c',
    },
  };
const IMAGE = 'nats:2.14-alpine';
const DOWNLOAD_TIMEOUT_MS = 180_000;

/**
 * The Debian mirror that this machine's apt already uses, from lines `<uri> <release>` of its sources; undefined when
 * there is none (another distribution). Security and update suites live elsewhere and are passed over.
 */
export function debianMirror(lines: string): string | undefined {
  for (const line of lines.split('\n')) {
    const [uri, release] = line.trim().split(/\s+/);
    if (uri === undefined || release === undefined || !/^[a-z]+$/.test(release)) continue;
    if (/^https?:\/\/.*\/debian\/?$/.test(uri)) return uri;
  }
  return undefined;
}

/**
 * Gets Debian's nats-server from the suite after this one, with apt's signature checks but with lists and cache of our
 * own: nothing is installed, apt's sources stay as they are, no root needed. Resolves to the binary.
 */
export async function fetchFromDebian(binDir: string): Promise<string> {
  const targets = ['indextargets', '--format', '$(REPO_URI) $(RELEASE)', 'Created-By: Packages'];
  const mirror = debianMirror(await runCommand('apt-get', targets, { timeoutMs: 30_000 }));
  if (mirror === undefined) throw new Error("apt's sources name no Debian mirror");
  return inScratchFolder(binDir, async (folder) => {
    for (const each of ['lists/partial', 'cache/archives/partial', 'x'])
      await mkdir(join(folder, each), { recursive: true });
    const sources = join(folder, 'sources.list');
    await writeFile(sources, `deb [signed-by=${DEBIAN_KEYRING}] ${mirror} ${DEBIAN_SUITE} main\n`);
    const settings = [
      `Dir::Etc::SourceList=${sources}`,
      'Dir::Etc::SourceParts=-',
      `Dir::State::Lists=${join(folder, 'lists')}`,
      `Dir::Cache=${join(folder, 'cache')}`,
      `APT::Sandbox::User=${userInfo().username}`,
      'Acquire::Languages=none',
      'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
      'Acquire::Retries=2',
    ].flatMap((setting) => ['-o', setting]);
    const apt = { timeoutMs: DOWNLOAD_TIMEOUT_MS, cwd: folder, env: { LC_ALL: 'C' } };
    await runCommand('apt-get', [...settings, 'update', '-qq'], apt);
    await runCommand(
      'apt-get',
      [...settings, 'download', '-qq', `nats-server/${DEBIAN_SUITE}`],
      apt,
    );
    const deb = (await readdir(folder)).find((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error(`Debian's ${DEBIAN_SUITE} gave no nats-server`);
    await runCommand('dpkg-deb', ['-x', join(folder, deb), join(folder, 'x')], apt);
    return keep(join(folder, 'x/usr/sbin/nats-server'), binDir);
  });
}

/** Downloads the official release, compares its SHA-256 with ours and unpacks the server. Resolves to the binary. */
export async function downloadRelease(binDir: string, arch: string): Promise<string> {
  const release = RELEASE_SHA256[arch];
  if (release === undefined) throw new Error(`no release is pinned for the processor "${arch}"`);
  const name = `nats-server-v${RELEASE}-linux-${release.arch}`;
  return inScratchFolder(binDir, async (folder) => {
    const file = join(folder, 'release.tar.gz');
    const url = `https://github.com/nats-io/nats-server/releases/download/v${RELEASE}/${name}.tar.gz`;
    const sha256 = await download(url, file);
    if (sha256 !== release.sha256)
      throw new Error(`${url} has SHA-256 ${sha256}, not the pinned ${release.sha256}: not used`);
    await runCommand('tar', ['-xzf', file, '-C', folder], { timeoutMs: 60_000 });
    return keep(join(folder, name, 'nats-server'), binDir);
  });
}

/** Streams a URL into a file and resolves to the SHA-256 of what came, in hex. */
async function download(url: string, file: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS) });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const hash = createHash('sha256');
  const body = response.body;
  const hashed = async function* () {
    for await (const chunk of body) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashed, createWriteStream(file));
  return hash.digest('hex');
}

/**
 * Writes a script that behaves as nats-server but runs it in a container, with the host's network and the state folder.
 * The container ends when its standard input closes, so that it cannot outlive whoever started it.
 */
export async function wrapDocker(binDir: string, stateDir: string): Promise<string> {
  await runCommand('docker', ['info', '--format', '{{.ServerVersion}}'], { timeoutMs: 15_000 });
  const present = await runCommand('docker', ['image', 'inspect', IMAGE], {
    timeoutMs: 15_000,
  }).then(
    () => true,
    () => false,
  );
  if (!present)
    await runCommand('docker', ['pull', '-q', IMAGE], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  const file = join(binDir, 'nats-server-docker');
  await mkdir(binDir, { recursive: true });
  await writeFile(file, dockerScript(resolve(stateDir)));
  await chmod(file, 0o755);
  return file;
}

function dockerScript(stateDir: string): string {
  const inside = [
    'exec 3<&0',
    'nats-server "$@" & server=$!',
    'trap "kill -TERM $server" TERM INT',
    '(cat <&3 >/dev/null; kill -TERM $server) &',
    'wait $server; wait $server',
  ].join('\n');
  return `#!/bin/sh
# Written by the launcher: nats-server in a container. It ends when standard input closes.
exec docker run --rm -i --network host --user "$(id -u):$(id -g)" -v '${stateDir}:${stateDir}' \\
  --entrypoint sh ${IMAGE} -c '${inside}' nats-server "$@"
`;
}

async function inScratchFolder<Result>(
  binDir: string,
  work: (folder: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(binDir, { recursive: true });
  const folder = await mkdtemp(join(resolve(binDir), 'get-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Moves a binary to its place in one step, so that a half-written one is never found. */
async function keep(from: string, binDir: string): Promise<string> {
  const to = join(resolve(binDir), 'nats-server');
  await chmod(from, 0o755);
  await rename(from, to);
  return to;
}
