import { z } from 'zod';
import { AreaCode, CANARY_AREA } from '../../../shared/alert/area.ts';
import { SEVERITIES } from '../../../shared/alert/cap-values.ts';

/** What the holder of a key may send. The key itself is not here: only its SHA-256. */
export const ApiKey = z
  .strictObject({
    id: z.string().min(1).max(60),
    /** SHA-256 of the clear key, lower-case hex. Keys are long random texts, so a slow hash would protect nothing more. */
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    /** The CAP `sender` that this key speaks for, and no other. */
    sender: z.string().min(1).max(120),
    /** INSEE departments and communes; a department covers its communes. */
    territory: z.array(AreaCode).min(1).max(1300),
    statuses: z.array(z.enum(['Actual', 'Exercise', 'Test'])).min(1),
    maxSeverity: z.enum(SEVERITIES),
    expiresAt: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((key) => !key.statuses.includes('Test') || key.statuses.length === 1, {
    path: ['statuses'],
    message: 'a key that sends Test sends nothing else: a canary may not reach the public',
  })
  .refine((key) => key.statuses.includes('Test') === key.territory.includes(CANARY_AREA), {
    path: ['territory'],
    message: `${CANARY_AREA} is the territory of Test keys, and of no other`,
  });
export type ApiKey = z.infer<typeof ApiKey>;

/** The file that API_KEYS_FILE names. */
export const ApiKeyFile = z.strictObject({
  keys: z
    .array(ApiKey)
    .min(1)
    .max(1000)
    .refine(
      (keys) => new Set(keys.map(({ id }) => id)).size === keys.length,
      'two keys have the same id',
    )
    .refine(
      (keys) => new Set(keys.map(({ hash }) => hash)).size === keys.length,
      'two entries have the same key',
    ),
});
