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

let isWaiting = false;

/**
 * At most once a minute, and never while the canary is away: a browser's error page loads nothing anew. Who asks while
 * another waits for that changes nothing.
 */
export async function reload(): Promise<void> {
  if (isWaiting) return;
  isWaiting = true;
  const lastMs = Number(sessionStorage.getItem(LAST_RELOAD) ?? 0);
  // Not longer when the clock was set back meanwhile.
  await pause(Math.min(LEAST_BETWEEN_MS, lastMs + LEAST_BETWEEN_MS - Date.now()));
  while (!(await isCanaryThere())) await pause(AFTER_CRASH_MS);
  sessionStorage.setItem(LAST_RELOAD, String(Date.now()));
  location.reload();
}

async function isCanaryThere(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(AFTER_CRASH_MS);
    return (await fetch('/v1/probe-keys', { cache: 'no-store', signal })).ok;
  } catch {
    return false;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
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
