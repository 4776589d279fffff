import { z } from 'zod';
import { parseEnv } from '../../shared/config/parse-env.ts';
import type { LayoutOptions } from './layout.ts';
import type { NetnsChoice } from './site-network.ts';

const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);

const Environment = z.object({
  SITES: optional(
    z.coerce
      .number('must be 1, 2 or 3')
      .int()
      .min(1, 'must be 1, 2 or 3')
      .max(3, 'must be 1, 2 or 3')
      .default(2),
  ),
  PORT_BASE: optional(
    z.coerce
      .number('must be a number')
      .int()
      .min(1024, 'must be 1024 or more')
      .max(65_400, 'must be 65400 or less: PORT_BASE + 99 is the last port')
      .default(8400),
  ),
  STATE_DIR: optional(z.string().default('.tocsin')),
  NETNS: optional(z.enum(['auto', 'on', 'off'], 'must be auto, on or off').default('auto')),
});

export interface RunOptions extends LayoutOptions {
  readonly netns: NetnsChoice;
}

/** What `make run` was told. Throws ConfigError with all problems at once. */
export function readOptions(env: Readonly<Record<string, string | undefined>>): RunOptions {
  const { SITES, PORT_BASE, STATE_DIR, NETNS } = parseEnv(Environment, env);
  return { sites: SITES, portBase: PORT_BASE, stateDir: STATE_DIR, netns: NETNS };
}
