import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { type RunningSystem, urlOf } from './find-system.ts';

/** kill -9, and no restart until `startAgain`: the launcher would otherwise bring it back within seconds. */
export async function killForGood(system: RunningSystem, name: string): Promise<void> {
  await fetchJson(`${urlOf(system, 'control')}/processes/${name}/kill`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    json: { signal: 'SIGKILL', hold: true },
  });
}

export async function startAgain(system: RunningSystem, name: string): Promise<void> {
  await fetchJson(`${urlOf(system, 'control')}/processes/${name}/start`, {
    schema: z.unknown(),
    timeoutMs: 30_000,
    json: {},
  });
}
