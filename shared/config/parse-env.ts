import { z } from 'zod';

/** Every setting that is wrong, in one message a person can act on at three in the morning. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // Printed when a service cannot start: whoever reads it needs the settings' names, not our call stack.
    this.stack = `ConfigError: ${message}`;
  }
}

/**
 * Environment → config of a service, or one ConfigError that names every variable that is wrong. The schema's keys are
 * the variables' names. Values never appear in the message: they may be secrets.
 */
export function parseEnv<Schema extends z.ZodType>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): z.infer<Schema> {
  const parsed = schema.safeParse(env);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.') || '(all)'}: ${issue.message}`,
  );
  throw new ConfigError(`settings are wrong (environment variables):\n${lines.join('\n')}`);
}

/** A port number; 0 lets the system choose. */
export const Port = z.coerce.number().int().min(0).max(65_535);

/** A JSON text that fits the schema. */
export function jsonOf<Schema extends z.ZodType>(schema: Schema) {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);
}

/** Comma-separated list; empty text is the empty list. */
export const CommaList = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean),
  );
