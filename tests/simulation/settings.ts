import { z } from 'zod';

const whole = (least: number, most: number) =>
  z.coerce.number().int().min(least).max(most).optional();

/** What `make simulate` may be told; an empty value counts as none. */
const Settings = z.object({
  /** Replay this one, readably. */
  SEED: whole(0, 2 ** 31),
  /** Of one replayed seed: stop after so many. */
  STEPS: whole(1, 100_000_000),
  /** Fresh random seeds. */
  RUNS: whole(0, 10_000_000),
  /** With this planted bug (for a replay of what found it). */
  BUG: z.string().optional(),
  /** `1`: the replay as it was, not made smaller. */
  WHOLE: z.enum(['0', '1']).optional(),
});
export type Settings = z.infer<typeof Settings>;

export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return Settings.parse(Object.fromEntries(given));
}
