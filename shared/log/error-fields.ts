/** Anything that was thrown as loggable fields, causes kept, bounded. */
export function errorFields(error: unknown): { error: string; stack?: string } {
  const messages: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 5; depth++) {
    if (!(at instanceof Error)) {
      messages.push(String(at));
      break;
    }
    messages.push(at.message || at.name);
    at = at.cause;
  }
  const stack = error instanceof Error ? error.stack?.slice(0, 2000) : undefined;
  return { error: messages.join(': ').slice(0, 1000), ...(stack === undefined ? {} : { stack }) };
}
