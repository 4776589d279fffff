const RELOAD_EVERY_MS = 6 * 3600 * 1000;
const AFTER_CRASH_MS = 15_000;
/** A page that breaks as soon as it is loaded must not be loaded for ever. */
const LEAST_BETWEEN_MS = 60_000;
const LAST_RELOAD = 'tocsin-probe-reloaded';

/** Loads the page anew now and then, and after a crash of the script. */
export function stayAlive(): void {
  setTimeout(() => void reload(), RELOAD_EVERY_MS);
  const afterCrash = () => setTimeout(() => void reload(), AFTER_CRASH_MS);
  addEventListener('error', afterCrash);
  addEventListener('unhandledrejection', afterCrash);
}

/** At most once a minute, and never while the canary is away: a browser's error page loads nothing anew. */
export async function reload(): Promise<void> {
  const lastMs = Number(sessionStorage.getItem(LAST_RELOAD) ?? 0);
  const waitMs = lastMs + LEAST_BETWEEN_MS - Date.now();
  const isThere = async () => (await fetch('/v1/probe-keys', { cache: 'no-store' })).ok;
  if (waitMs > 0 || !(await isThere().catch(() => false))) {
    setTimeout(() => void reload(), Math.max(waitMs, AFTER_CRASH_MS));
    return;
  }
  sessionStorage.setItem(LAST_RELOAD, String(Date.now()));
  location.reload();
}

/** Keeps the screen on where the browser can, again each time the page comes into sight; tells whether it does. */
export function keepScreenOn(onChange: (isOn: boolean) => void): void {
  const ask = async () => {
    if (document.visibilityState !== 'visible') return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      onChange(true);
      lock.addEventListener('release', () => onChange(false));
    } catch {
      onChange(false);
    }
  };
  document.addEventListener('visibilitychange', () => void ask());
  void ask();
}
