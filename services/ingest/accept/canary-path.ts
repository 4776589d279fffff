import type { Alert } from '../../../shared/alert/alert.ts';
import type { AlertProblem } from '../../../shared/alert/check-alert.ts';
import { CanaryPath } from '../../../shared/envelope/envelope.ts';

const PATH_PREFIX = 'tocsin-path:';
const NONCE_PREFIX = 'tocsin-nonce:';
const NONCE = /^[A-Za-z0-9_-]{8,64}$/;

/** What a canary's alert is to prove: its path, and the nonce that a receipt has to repeat. */
export interface CanaryRound {
  readonly path: CanaryPath;
  readonly nonce: string;
}

/**
 * Reads a canary's path and nonce from CAP `code`: exactly one of each in a Test, none in anything else, and the path
 * has to begin at this node (another ingest's path is not proved by passing here). `round` is undefined for people's alerts.
 */
export function canaryRound(
  alert: { readonly status: Alert['status']; readonly code?: readonly string[] | undefined },
  node: string,
): { ok: true; round: CanaryRound | undefined } | { ok: false; problems: AlertProblem[] } {
  const codes = alert.code ?? [];
  const own = codes.filter((code) => code.startsWith('tocsin-'));
  if (alert.status !== 'Test') {
    return own.length === 0
      ? { ok: true, round: undefined }
      : {
          ok: false,
          problems: [{ field: 'code', message: 'codes that begin with tocsin- are for Test only' }],
        };
  }
  const problems: AlertProblem[] = [];
  const path = onlyOne(own, PATH_PREFIX, problems);
  const nonce = onlyOne(own, NONCE_PREFIX, problems);
  const parsed = path === undefined ? undefined : parsePath(path);
  if (path !== undefined && parsed === undefined)
    problems.push({
      field: 'code',
      message: `${PATH_PREFIX} must be <ingest>:<lane>:<dispatcher>:<transport>`,
    });
  if (parsed !== undefined && parsed.ingest !== node)
    problems.push({
      field: 'code',
      message: `this is ingest ${node}: a path of ${parsed.ingest} is not proved here`,
    });
  if (nonce !== undefined && !NONCE.test(nonce))
    problems.push({
      field: 'code',
      message: `${NONCE_PREFIX} must be 8 to 64 characters of base64url`,
    });
  if (problems.length > 0 || parsed === undefined || nonce === undefined)
    return { ok: false, problems };
  return { ok: true, round: { path: parsed, nonce } };
}

function onlyOne(
  codes: readonly string[],
  prefix: string,
  problems: AlertProblem[],
): string | undefined {
  const found = codes.filter((code) => code.startsWith(prefix));
  if (found.length !== 1)
    problems.push({
      field: 'code',
      message: `a Test holds exactly one ${prefix}…, not ${found.length}`,
    });
  return found.length === 1 ? found[0]?.slice(prefix.length) : undefined;
}

function parsePath(text: string): CanaryPath | undefined {
  const [ingest, lane, dispatcher, transport, ...rest] = text.split(':');
  const parsed = CanaryPath.safeParse({ ingest, lane, dispatcher, transport });
  return parsed.success && rest.length === 0 ? parsed.data : undefined;
}
