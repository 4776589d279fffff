import { execFileSync } from 'node:child_process';

/** Newest first; the first that the engine has is used, so that no test has to wait for a download. */
const KNOWN_TAGS = [
  'nats:2.14-alpine',
  'nats:2.15-alpine',
  'nats:2.12-alpine',
  'nats:2-alpine',
  'nats:alpine',
];

/** The image of nats-server for tests with containers, or why there can be none. */
export type NatsImage =
  | { readonly image: string; readonly missing?: undefined }
  | { readonly image?: undefined; readonly missing: string };

/** NATS_IMAGE, or the first known tag that is there; the default is pulled where none is and a pull can succeed. */
export function findNatsImage(): NatsImage {
  if (!succeeds(['version'], 10_000)) return { missing: 'no Docker engine answers' };
  const asked = process.env['NATS_IMAGE'];
  const image = (asked ? [asked] : KNOWN_TAGS).find((tag) =>
    succeeds(['image', 'inspect', tag], 10_000),
  );
  if (image !== undefined) return { image };
  const wanted = asked ?? 'nats:2.14-alpine';
  return succeeds(['pull', '--quiet', wanted], 120_000)
    ? { image: wanted }
    : { missing: `the engine has no image ${wanted} and cannot pull it` };
}

function succeeds(args: readonly string[], timeoutMs: number): boolean {
  try {
    execFileSync('docker', args, { stdio: 'ignore', timeout: timeoutMs });
    return true;
  } catch {
    return false;
  }
}
