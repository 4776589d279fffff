import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { figuresOf, type JetStreamFigures, Jsz, Varz } from './nats-answers.ts';

/** One NATS server as its monitoring port shows it. What it did not say is undefined: nothing is kept from before. */
export interface ServerLook {
  /** It answered, whatever it said. */
  readonly up: boolean;
  /** `/healthz` said ok: JetStream runs, its streams can be read. */
  readonly healthy: boolean;
  readonly connections: number | undefined;
  readonly slowConsumers: number | undefined;
  readonly jetStream: JetStreamFigures | undefined;
}

const JSZ = '/jsz?accounts=1&streams=1&config=1&consumers=1';

/** Three questions at once, each with the same deadline. Never rejects. */
export async function lookAtServer(
  monitorUrl: string,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<ServerLook> {
  const ask = <Schema extends z.ZodType>(path: string, schema: Schema) =>
    fetchJson(new URL(path, monitorUrl).href, { schema, timeoutMs, signal });
  const [health, varz, jsz] = await Promise.allSettled([
    ask('/healthz', z.object({ status: z.literal('ok') })),
    ask('/varz', Varz),
    ask(JSZ, Jsz),
  ]);
  const answered = (result: PromiseSettledResult<unknown>) =>
    result.status === 'fulfilled' ||
    (result.reason instanceof FetchError && result.reason.status !== undefined);
  return {
    up: [health, varz, jsz].some(answered),
    healthy: health.status === 'fulfilled',
    connections: varz.status === 'fulfilled' ? varz.value.connections : undefined,
    slowConsumers: varz.status === 'fulfilled' ? varz.value.slow_consumers : undefined,
    jetStream: jsz.status === 'fulfilled' ? figuresOf(jsz.value) : undefined,
  };
}
