/**
 * An age in words that are the same in French and English: `12 s`, `212 s`, `7 min`, `3 h 05`. Runs in the browser too
 * (page/script.ts takes its source), so it uses nothing from outside itself.
 */
export function formatAge(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (seconds < 300) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')}`;
}

/** A latency as people read it: `340 ms`, `4,2 s`. */
export function formatLatency(latencyMs: number, language: 'fr' | 'en'): string {
  if (latencyMs < 1000) return `${Math.round(latencyMs)} ms`;
  return formatSeconds(latencyMs, language);
}

/** `0,3 s`, `4.2 s`: for what is compared with other seconds. */
export function formatSeconds(ms: number, language: 'fr' | 'en'): string {
  const seconds = (ms / 1000).toFixed(1);
  return `${language === 'fr' ? seconds.replace('.', ',') : seconds} s`;
}

/** `14:05`, UTC. */
export function formatHour(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

/** `14:05:07`, UTC. */
export function formatClock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}

/** `22 nov. 2026`, by UTC. */
export function formatDate(atMs: number, language: 'fr' | 'en'): string {
  return new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }).format(atMs);
}

const NUMBERS = { fr: new Intl.NumberFormat('fr-FR'), en: new Intl.NumberFormat('en-GB') };

/** `1 600`, `1,600` */
export function formatCount(count: number, language: 'fr' | 'en'): string {
  return NUMBERS[language].format(count);
}
