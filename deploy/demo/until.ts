import { setTimeout as delay } from 'node:timers/promises';
import { DemoError } from './demo-error.ts';

/** Asks until the answer is not undefined; a DemoError says what was waited for when the time is over. */
export async function until<Answer>(
  what: string,
  options: { timeoutMs: number; everyMs: number },
  ask: () => Promise<Answer | undefined>,
): Promise<Answer> {
  const deadlineMs = Date.now() + options.timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadlineMs)
      throw new DemoError(
        `waited ${options.timeoutMs / 1000} s for this and it did not come: ${what}`,
      );
    await delay(options.everyMs);
  }
}
