import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SHORT_BYTES } from '../bench-messages.ts';
import type { Contender, ForeignCpu, Target } from '../contest/contender.ts';
import { LIMIT_PATH } from './nghttp.ts';

const run = promisify(execFile);

/** The bytes that encryption adds to a clear text (RFC 8188: header with the key, end mark, tag). */
const ENCRYPTION_BYTES = 86 + 1 + 16;
const URIS = 1_024;
/** `times` of a POSIX shell: minutes and seconds, user and system, of the shell and then of its children. */
const TIMES = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/;

/** nghttp2's load generator in C++, with the same headers, sizes of body and number of paths as our sender. */
export async function h2load(target: Target): Promise<Contender> {
  const folder = dirname(target.certFile);
  const [uris, body] = [join(folder, 'uris.txt'), join(folder, 'body.bin')];
  const lines = Array.from(
    { length: URIS },
    () => `https://localhost:${target.port}${LIMIT_PATH}?${randomBytes(90).toString('base64url')}`,
  );
  writeFileSync(uris, `${lines.join('\n')}\n`);
  writeFileSync(body, randomBytes(SHORT_BYTES + ENCRYPTION_BYTES));
  const headers = [
    `authorization: vapid t=${randomBytes(180).toString('base64url')}, k=${randomBytes(65).toString('base64url')}`,
    'ttl: 3600',
    'urgency: high',
    'content-encoding: aes128gcm',
    'content-type: application/octet-stream',
  ].flatMap((header) => ['-H', header]);
  return {
    run: (messages) => {
      const sizes = ['-n', String(messages), '-c', '2', '-m', '100', '-t', '1'];
      return timed(['h2load', ...sizes, '-i', uris, '-d', body, ...headers], messages);
    },
    close: () => Promise.resolve(),
  };
}

async function timed(command: readonly string[], messages: number): Promise<ForeignCpu> {
  const { stdout } = await run('sh', ['-c', '"$@" && times', 'sh', ...command]);
  if (!stdout.includes(` ${messages} succeeded`)) throw new Error(`h2load: ${stdout.slice(-500)}`);
  const [, userMinutes, userSeconds, systemMinutes, systemSeconds] = TIMES.exec(stdout) ?? [];
  const seconds =
    (Number(userMinutes) + Number(systemMinutes)) * 60 +
    Number(userSeconds) +
    Number(systemSeconds);
  return { cpuMicros: seconds * 1e6 };
}
