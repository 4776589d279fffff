import { type Logger, pino } from 'pino';

export type { Logger };

/** Fields that may hold a token, an endpoint or a key are cut out wherever they stand. */
const SECRET_FIELDS = [
  'token',
  'endpoint',
  'authorization',
  'keys',
  'auth',
  'p256dh',
  'privateKey',
  'password',
];

/** JSON lines on stdout, with the service and node on each. */
export function createLogger(service: string, node: string, level = 'info'): Logger {
  return pino({
    level,
    base: { service, node },
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}
