import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';

/** Our own processes that take part in bringing an alert. */
export type NodeKind = 'ingest' | 'dispatcher' | 'edge';
export type PartKind = NodeKind | 'bus' | 'probe' | 'canary';

/** A part that does not say that it is well. Those that do are not mentioned: that would be no proof. */
export interface DeadPart {
  readonly kind: PartKind;
  readonly name: string;
  /** False: it did not answer. True: it answered, and is not well. */
  readonly answered: boolean;
  /** Age clock: when it was first found so. What was dead before this canary began counts from its start. */
  readonly sinceMs: number;
}

/** Something that is asked whether it is well: any answer of 2xx says yes. */
export interface AskedPart {
  readonly kind: PartKind;
  readonly name: string;
  readonly url: string;
}

const EVERY_MS = 5_000;
const REQUEST_LIMIT_MS = 2_000;

/** Asks every part again and again, all of them at once. */
export function watchParts(
  parts: readonly AskedPart[],
  { now, signal }: { readonly now: Clock; readonly signal: AbortSignal },
): { readonly dead: () => DeadPart[]; readonly running: Promise<void> } {
  const dead = new Map<AskedPart, DeadPart>();
  const look = async (part: AskedPart) => {
    try {
      await fetchJson(part.url, { schema: z.unknown(), timeoutMs: REQUEST_LIMIT_MS, signal });
      dead.delete(part);
    } catch (error) {
      if (signal.aborted) return;
      const answered = error instanceof FetchError && error.status !== undefined;
      const sinceMs = dead.get(part)?.sinceMs ?? now();
      dead.set(part, { kind: part.kind, name: part.name, answered, sinceMs });
    }
  };
  const run = async () => {
    if (parts.length === 0) return;
    do await Promise.all(parts.map(look));
    while (await sleep(EVERY_MS, signal));
  };
  return { dead: () => [...dead.values()], running: run() };
}
