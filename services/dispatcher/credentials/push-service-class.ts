/** Makers of push services. Origins are addresses that strangers gave us; these are five words. */
const PUSH_SERVICE_CLASSES = ['mozilla', 'google', 'apple', 'windows', 'own'] as const;
export type PushServiceClass = (typeof PUSH_SERVICE_CLASSES)[number];

const BY_DOMAIN: readonly (readonly [string, PushServiceClass])[] = [
  ['push.services.mozilla.com', 'mozilla'],
  ['googleapis.com', 'google'],
  ['google.com', 'google'],
  ['push.apple.com', 'apple'],
  ['notify.windows.com', 'windows'],
];

/** Whose push service an endpoint is on. `own`: one that the operator listed (self-hosted, or the sandbox). Pure. */
export function pushServiceClass(endpoint: string): PushServiceClass {
  const end = endpoint.indexOf('/', 'https://'.length);
  const host = endpoint.slice('https://'.length, end < 0 ? undefined : end);
  return BY_DOMAIN.find(([domain]) => isWithin(host, domain))?.[1] ?? 'own';
}

function isWithin(host: string, domain: string): boolean {
  return (
    host.endsWith(domain) && (host.length === domain.length || host.at(-domain.length - 1) === '.')
  );
}
