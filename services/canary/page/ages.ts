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
  const seconds = (latencyMs / 1000).toFixed(1);
  return `${language === 'fr' ? seconds.replace('.', ',') : seconds} s`;
}
