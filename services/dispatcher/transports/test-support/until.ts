/** Waits for a condition, not for a time; says what did not happen. */
export async function until(
  what: string,
  condition: () => boolean,
  limitMs = 8_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`did not happen in ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
