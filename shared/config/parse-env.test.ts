import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { CommaList, ConfigError, jsonOf, Port, parseEnv } from './parse-env.ts';
import { readJsonFile, readTextFile } from './read-file.ts';

const Schema = z.object({
  SITE: z.string().regex(/^[a-z]+$/),
  PORT: Port,
  PEERS: jsonOf(z.array(z.object({ url: z.url() }))),
  LIST: CommaList,
});

test('settings are read with their types', () => {
  expect(
    parseEnv(Schema, {
      SITE: 'a',
      PORT: '8401',
      PEERS: '[{"url":"http://a/"}]',
      LIST: ' x, ,y',
      OTHER: '1',
    }),
  ).toEqual({
    SITE: 'a',
    PORT: 8401,
    PEERS: [{ url: 'http://a/' }],
    LIST: ['x', 'y'],
  });
  expect(parseEnv(Schema, { SITE: 'a', PORT: '0', PEERS: '[]' }).LIST).toEqual([]);
});

test('every wrong setting is named in one message, and no value is shown', () => {
  const wrong = () => parseEnv(Schema, { SITE: 'SECRET1', PORT: '70000', PEERS: 'SECRET2' });
  expect(wrong).toThrow(ConfigError);
  expect(wrong).toThrow(/SITE[\s\S]*PORT[\s\S]*PEERS: is not JSON/);
  expect(wrong).not.toThrow(/SECRET/);
});

test('a file that is not there, no JSON or of another shape is named, without its content', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-config-'));
  const path = join(folder, 'key.json');
  const read = () => readJsonFile(path, z.object({ d: z.number() }), 'signing key');
  expect(read).toThrow(`signing key: cannot read ${path}`);
  writeFileSync(path, 'SECRET\n');
  expect(readTextFile(path, 'token')).toBe('SECRET');
  expect(read).toThrow('is not JSON');
  writeFileSync(path, '{"d":"SECRET"}');
  expect(read).toThrow(/is wrong: d/);
  expect(read).not.toThrow(/SECRET/);
  rmSync(folder, { recursive: true });
});
