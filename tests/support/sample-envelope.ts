import { generateKeyPairSync } from 'node:crypto';
import type { Alert } from '../../shared/alert/alert.ts';
import { alertId } from '../../shared/alert/alert-id.ts';
import { alertAreaCodes } from '../../shared/alert/area.ts';
import type { Audience } from '../../shared/alert/audience.ts';
import { expiresAtMs } from '../../shared/alert/expiry.ts';
import { type DeviceMessage, deviceMessage } from '../../shared/envelope/device-message.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { areaHash, contentHash } from '../../shared/envelope/hashes.ts';
import { type KeySet, SigningKey, type TrustedKey } from '../../shared/envelope/key-set.ts';

/** A fresh signing key, as ingest holds it. */
export function sampleKey(audience: Audience, kid = `a-${audience}-1`): SigningKey {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return SigningKey.parse({ kty, crv, x, d, kid, audience });
}

/** The public halves, as dispatchers and devices hold them. */
export function keySetOf(...keys: SigningKey[]): KeySet {
  return { keys: keys.map(({ d: _secret, ...key }): TrustedKey => key) };
}

/** What ingest signs for an alert, with every hash right. */
export async function sampleEnvelope(
  alert: Alert,
  audience: Audience = 'public',
): Promise<Envelope> {
  const areaCodes = alertAreaCodes(alert);
  return {
    v: 1,
    id: await alertId(alert),
    audience,
    issuer: 'a',
    issuedAt: new Date(Date.parse(alert.sent)).toISOString(),
    expiresAt: new Date(expiresAtMs(alert, audience)).toISOString(),
    alert,
    references: [],
    contentHash: await contentHash(alert),
    areaCodes,
    areaHash: await areaHash(areaCodes),
    shards: 1,
    deviceMessages: {},
    ...(audience === 'canary'
      ? { path: { ingest: 'a', lane: 'bus', dispatcher: 'a', transport: 'fcm' } as const }
      : {}),
  };
}

/** What a device gets of the first language of an alert. */
export async function sampleMessage(
  alert: Alert,
  facts: { audience?: Audience; references?: readonly string[] } = {},
): Promise<DeviceMessage> {
  const [info] = alert.info;
  if (!info) throw new Error('a sample alert has an info');
  return deviceMessage(alert, info, {
    id: await alertId(alert),
    audience: facts.audience ?? 'public',
    expires: info.expires,
    references: facts.references ?? [],
    contentHash: await contentHash(alert),
  });
}
