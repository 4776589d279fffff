import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { ConfigError } from './parse-env.ts';

/** A text file that a setting points at (a key, a token), without its last line break. Throws ConfigError. */
export function readTextFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new ConfigError(`${what}: cannot read ${path}`, { cause: error });
  }
}

/** A JSON file that fits the schema. Throws ConfigError, which never holds the file's content. */
export function readJsonFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
): z.infer<Schema> {
  const text = readTextFile(path, what);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConfigError(`${what}: ${path} is not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`${what}: ${path} is wrong: ${fields.join('; ')}`);
}
