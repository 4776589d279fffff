/** An instant as CAP writes it: an offset, whole seconds, no Z (CAP 1.2 section 3.3.2). Fractions are cut off. */
export function capInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}
