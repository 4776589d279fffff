/** Push services of the browsers in use; a leading dot stands for any subdomain. */
const KNOWN_PUSH_HOSTS = [
  'updates.push.services.mozilla.com',
  '.push.services.mozilla.com',
  'fcm.googleapis.com',
  'web.push.apple.com',
  '.push.apple.com',
  '.notify.windows.com',
] as const;

/** Chrome's endpoints are on fcm.googleapis.com and jmt17.google.com; the rest of google.com is not a push service. */
const GOOGLE_PUSH_HOSTS = /^(?:jmt\d+|push)\.google\.com$/;

/**
 * An endpoint is an address that a stranger asks us to POST to, so only known push services are taken (never an address
 * inside our own network): host in the list, https, the standard port. `extraOrigins` holds self-hosted push services,
 * and the sandbox in development, spelled as origins (`https://localhost:8491`).
 */
export function isAllowedPushEndpoint(endpoint: string, extraOrigins: readonly string[]): boolean {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    return false;
  }
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return false;
  if (extraOrigins.includes(url.origin)) return true;
  if (url.port !== '') return false;
  if (url.hostname.endsWith('.google.com')) return GOOGLE_PUSH_HOSTS.test(url.hostname);
  return KNOWN_PUSH_HOSTS.some((host) =>
    host.startsWith('.') ? url.hostname.endsWith(host) : url.hostname === host,
  );
}
