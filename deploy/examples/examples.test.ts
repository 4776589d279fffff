import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { z } from 'zod';
import type { Alert } from '../../shared/alert/alert.ts';
import { alertAreaCodes } from '../../shared/alert/area.ts';
import { checkAlert } from '../../shared/alert/check-alert.ts';
import { levelOf } from '../../shared/alert/level.ts';
import { fillPlaceholders } from '../../shared/alert/placeholders.ts';
import { deviceMessage } from '../../shared/envelope/device-message.ts';
import { SigningKey } from '../../shared/envelope/key-set.ts';
import { MAX_DEVICE_BYTES, pushPayloadBytes } from '../../shared/envelope/push-payload.ts';
import { createSigner } from '../../shared/envelope/signature.ts';

const FOLDER = new URL('.', import.meta.url);
const NOW = Date.parse('2026-07-14T20:31:07Z');
const EARLIER = 'pref06@alerte.example,pref06-20260714T203107Z-0001,2026-07-14T22:30:00+02:00';
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

/** As the command line sends it: what a file leaves open is filled in; `references` come from the id it is about. */
function loadExample(name: string): Alert {
  const read = z.looseObject({}).parse(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')));
  const about = read['references'] === 'auto' ? { ...read, references: EARLIER } : read;
  const checked = checkAlert(
    fillPlaceholders(about, { nowMs: NOW, offsetMinutes: 120, random: '0002' }),
    NOW,
  );
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems, undefined, 2));
  return checked.alert;
}

test('every kind of message has an example', () => {
  expect(NAMES.map((name) => [name, loadExample(name).status, loadExample(name).msgType])).toEqual([
    ['nice-alert.json', 'Actual', 'Alert'],
    ['nice-all-clear.json', 'Actual', 'Update'],
    ['nice-cancel.json', 'Actual', 'Cancel'],
    ['nice-exercise.json', 'Exercise', 'Alert'],
    ['nice-update.json', 'Actual', 'Update'],
  ]);
});

test.each(NAMES)('%s is for Nice, in French first and in English, from the prefecture', (name) => {
  const alert = loadExample(name);
  expect(alert.sender).toBe('pref06@alerte.example');
  expect(alertAreaCodes(alert)).toEqual(['06088']);
  expect(alert.info.map((info) => info.language)).toEqual(['fr-FR', 'en-GB']);
});

test.each(NAMES)(
  '%s fits into what the narrowest push service carries, signed, in every language',
  async (name) => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'a-public-1', audience: 'public' };
    const sign = await createSigner(SigningKey.parse(jwk), 'alert');
    const alert = loadExample(name);
    for (const info of alert.info) {
      const message = deviceMessage(alert, info, {
        id: 'a'.repeat(32),
        audience: 'public',
        expires: info.expires,
        references: alert.references === undefined ? [] : ['b'.repeat(32), 'c'.repeat(32)],
        contentHash: 'h'.repeat(43),
      });
      expect(pushPayloadBytes(await sign(JSON.stringify(message)))).toBeLessThanOrEqual(
        MAX_DEVICE_BYTES,
      );
    }
  },
);

test('the alert rings as loud as it can, the exercise and the all-clear do not', () => {
  expect(levelOf(loadExample('nice-alert.json'))).toBe('extreme');
  expect(levelOf(loadExample('nice-exercise.json'))).toBe('exercise');
  expect(levelOf(loadExample('nice-all-clear.json'))).toBe('information');
});

test('the exercise says EXERCICE three times first and last', () => {
  const french = loadExample('nice-exercise.json').info[0];
  expect(french?.headline).toMatch(/^EXERCICE EXERCICE EXERCICE/);
  expect(french?.instruction).toMatch(/EXERCICE EXERCICE EXERCICE$/);
});
