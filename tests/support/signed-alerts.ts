import { generateKeyPairSync } from 'node:crypto';
import { type Alert, Alert as AlertSchema } from '../../shared/alert/alert.ts';
import { alertId } from '../../shared/alert/alert-id.ts';
import { alertAreaCodes } from '../../shared/alert/area.ts';
import type { Audience } from '../../shared/alert/audience.ts';
import { expiresAtMs } from '../../shared/alert/expiry.ts';
import { deviceMessage } from '../../shared/envelope/device-message.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { areaHash, contentHash } from '../../shared/envelope/hashes.ts';
import { type KeySet, SigningKey } from '../../shared/envelope/key-set.ts';
import { createSigner } from '../../shared/envelope/signature.ts';

/** A fresh signing key for one audience. */
export function createSigningKey(audience: Audience, kid = `${audience}-test`): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return SigningKey.parse({ ...privateKey.export({ format: 'jwk' }), kid, audience });
}

/** What may be published of signing keys. */
export function publicHalves(...keys: readonly SigningKey[]): KeySet {
  return { keys: keys.map(({ d: _private, ...key }) => key) };
}

/** An instant as CAP writes it. */
export function capInstant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, '+00:00');
}

export interface AlertFacts {
  readonly identifier: string;
  readonly sentMs?: number;
  readonly lifeSeconds?: number;
  readonly msgType?: 'Alert' | 'Update' | 'Cancel';
  readonly status?: 'Actual' | 'Exercise';
  readonly headline?: string;
  readonly references?: readonly Alert[];
  readonly areaCode?: string;
}

/** A whole CAP alert for a commune (Nice), in French and English. */
export function testAlert(facts: AlertFacts): Alert {
  const sentMs = facts.sentMs ?? Date.now();
  const info = (
    language: string,
    words: { headline: string; instruction: string; description: string },
  ) => ({
    language,
    category: ['Security'],
    event: language === 'fr-FR' ? 'Attentat' : 'Attack',
    responseType: ['Shelter'],
    urgency: 'Immediate',
    severity: 'Extreme',
    certainty: 'Observed',
    expires: capInstant(sentMs + (facts.lifeSeconds ?? 3600) * 1000),
    senderName: 'Préfecture des Alpes-Maritimes',
    ...words,
    area: [
      { areaDesc: 'Nice', geocode: [{ valueName: 'INSEE:COM', value: facts.areaCode ?? '06088' }] },
    ],
  });
  return AlertSchema.parse({
    identifier: facts.identifier,
    sender: 'pref06@alerte.example',
    sent: capInstant(sentMs),
    status: facts.status ?? 'Actual',
    msgType: facts.msgType ?? 'Alert',
    scope: 'Public',
    ...(facts.references
      ? {
          references: facts.references
            .map((each) => `${each.sender},${each.identifier},${each.sent}`)
            .join(' '),
        }
      : {}),
    info: [
      info('fr-FR', {
        headline: facts.headline ?? 'Attaque sur la promenade des Anglais',
        instruction: 'Abritez-vous, ne sortez pas, ne téléphonez qu’en cas d’urgence.',
        description:
          'Une attaque est en cours sur la promenade des Anglais. Les secours sont sur place.',
      }),
      info('en-GB', {
        headline: 'Attack on the promenade des Anglais',
        instruction: 'Take shelter, stay inside, call only in an emergency.',
        description:
          'An attack is under way on the promenade des Anglais. Emergency services are there.',
      }),
    ],
  });
}

async function envelopeFacts(alert: Alert, key: SigningKey) {
  const referenced = (alert.references ?? '').split(' ').filter(Boolean);
  const references = await Promise.all(
    referenced.map((each) => {
      const [sender = '', identifier = '', sent = ''] = each.split(',');
      return alertId({ sender, identifier, sent });
    }),
  );
  return {
    id: await alertId(alert),
    audience: key.audience,
    references,
    contentHash: await contentHash(alert),
  };
}

/** What ingest puts on the lanes. */
export async function signedEnvelope(
  alert: Alert,
  key: SigningKey,
): Promise<{ id: string; jws: string }> {
  const facts = await envelopeFacts(alert, key);
  const areaCodes = alertAreaCodes(alert);
  const envelope: Envelope = {
    v: 1,
    ...facts,
    issuer: 'a',
    issuedAt: new Date().toISOString(),
    expiresAt: new Date(expiresAtMs(alert, key.audience)).toISOString(),
    alert,
    areaCodes,
    areaHash: await areaHash(areaCodes),
    shards: 1,
    deviceMessages: { 'fr-FR': await signedDeviceMessage(alert, key) },
  };
  const sign = await createSigner(key, 'envelope');
  return { id: facts.id, jws: await sign(JSON.stringify(envelope)) };
}

/** What a device gets, in the alert's first language. */
export async function signedDeviceMessage(alert: Alert, key: SigningKey): Promise<string> {
  const facts = await envelopeFacts(alert, key);
  const info = alert.info[0];
  if (!info) throw new Error('the alert has no info');
  const sign = await createSigner(key, 'alert');
  const message = deviceMessage(alert, info, { ...facts, expires: info.expires });
  return await sign(JSON.stringify(message));
}
