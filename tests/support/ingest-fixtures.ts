import { createHash, generateKeyPairSync } from 'node:crypto';
import { type Alert, Alert as AlertSchema } from '../../shared/alert/alert.ts';
import type { Audience } from '../../shared/alert/audience.ts';
import type { KeySet, SigningKey } from '../../shared/envelope/key-set.ts';

/** An instant as CAP writes it. */
export function capTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

/** A fresh Ed25519 signing key of one audience. */
export function makeSigningKey(audience: Audience): SigningKey {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    x: String(x),
    d: String(d),
    kid: `${audience}-test`,
    audience,
  };
}

/** Signing keys of both audiences and the set that trusts them. */
export function makeKeys(): { signingKeys: Record<Audience, SigningKey>; trustedKeys: KeySet } {
  const signingKeys = { public: makeSigningKey('public'), canary: makeSigningKey('canary') };
  const keys = Object.values(signingKeys).map(({ d: _secret, ...key }) => key);
  return { signingKeys, trustedKeys: { keys } };
}

export const PREFECTURE_KEY = 'prefecture-key-of-the-tests';
export const CANARY_KEY = 'canary-key-of-the-tests';
export const EXPIRED_KEY = 'expired-key-of-the-tests';

/** API keys as in API_KEYS_FILE: a prefecture, a canary, and one that has run out. */
export function makeApiKeys() {
  const hash = (clear: string) => createHash('sha256').update(clear).digest('hex');
  const prefecture = {
    id: 'pref06',
    hash: hash(PREFECTURE_KEY),
    sender: 'pref06@alerte.example',
    territory: ['06'],
    statuses: ['Actual' as const, 'Exercise' as const],
    maxSeverity: 'Extreme' as const,
  };
  return [
    prefecture,
    {
      id: 'canary-a',
      hash: hash(CANARY_KEY),
      sender: 'canary-a@alerte.example',
      territory: ['ZZ999'],
      statuses: ['Test' as const],
      maxSeverity: 'Extreme' as const,
    },
    { ...prefecture, id: 'old', hash: hash(EXPIRED_KEY), expiresAt: '2020-01-01T00:00:00Z' },
  ];
}

/** Nice, in French and English, good for an hour from `nowMs`. */
export function niceAlert(nowMs: number, changes: Partial<Alert> = {}): Alert {
  const info = {
    category: ['Security' as const],
    responseType: ['Shelter' as const],
    urgency: 'Immediate' as const,
    severity: 'Extreme' as const,
    certainty: 'Observed' as const,
    expires: capTime(nowMs + 3_600_000),
    senderName: 'Préfecture des Alpes-Maritimes',
    area: [{ areaDesc: 'Nice', geocode: [{ valueName: 'INSEE:COM', value: '06088' }] }],
  };
  return AlertSchema.parse({
    identifier: 'nice-1',
    sender: 'pref06@alerte.example',
    sent: capTime(nowMs),
    status: 'Actual',
    msgType: 'Alert',
    scope: 'Public',
    info: [
      {
        ...info,
        language: 'fr-FR',
        event: 'Attentat',
        headline: 'Attentat à Nice : mettez-vous à l’abri',
        description: 'Attaque en cours sur la Promenade des Anglais.',
        instruction: 'Éloignez-vous, cachez-vous, n’appelez que le 17 ou le 112.',
      },
      {
        ...info,
        language: 'en-GB',
        event: 'Attack',
        headline: 'Attack in Nice: take shelter',
        description: 'Attack under way on the Promenade des Anglais.',
        instruction: 'Run, hide, call 112 only if in danger.',
      },
    ],
    ...changes,
  });
}

/** A canary's Test over one path. */
export function testAlert(nowMs: number, changes: Partial<Alert> = {}): Alert {
  const [info] = niceAlert(nowMs).info;
  if (!info) throw new Error('the sample has no info');
  return AlertSchema.parse({
    identifier: 'canary-1',
    sender: 'canary-a@alerte.example',
    sent: capTime(nowMs),
    status: 'Test',
    msgType: 'Alert',
    scope: 'Private',
    addresses: 'probe-1',
    code: ['tocsin-path:a:bus:b:fcm', 'tocsin-nonce:abcdefgh12345678'],
    info: [
      {
        ...info,
        headline: 'ESSAI technique',
        expires: capTime(nowMs + 90_000),
        area: [{ areaDesc: 'Essais', geocode: [{ valueName: 'TEST:ZONE', value: 'ZZ999' }] }],
      },
    ],
    ...changes,
  });
}
