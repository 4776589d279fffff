import { type Alert, Alert as AlertSchema } from '../../shared/alert/alert.ts';
import { alertId } from '../../shared/alert/alert-id.ts';
import { alertAreaCodes, CANARY_AREA, CANARY_GEOCODE } from '../../shared/alert/area.ts';
import type { Severity } from '../../shared/alert/cap-values.ts';
import { expiresAtMs } from '../../shared/alert/expiry.ts';
import { deviceMessage } from '../../shared/envelope/device-message.ts';
import type { CanaryPath, Envelope } from '../../shared/envelope/envelope.ts';
import { areaHash, contentHash } from '../../shared/envelope/hashes.ts';
import type { KeySet } from '../../shared/envelope/key-set.ts';
import { createSigner } from '../../shared/envelope/signature.ts';
import { type AlertFacts, createSigningKey, publicHalves, testAlert } from './signed-alerts.ts';

/** Keys of one make-believe system: `public` and `canary` are trusted, `stranger` calls itself public and is not. */
export const TEST_KEYS = {
  public: createSigningKey('public'),
  canary: createSigningKey('canary'),
  stranger: createSigningKey('public', 'stranger'),
};
export const TEST_KEY_SET: KeySet = publicHalves(TEST_KEYS.public, TEST_KEYS.canary);

/** A CAP alert for Nice; `severity` is that of every info. */
export function anAlert(facts: AlertFacts & { readonly severity?: Severity }): Alert {
  const alert = testAlert(facts);
  const { severity } = facts;
  if (severity === undefined) return alert;
  return AlertSchema.parse({ ...alert, info: alert.info.map((info) => ({ ...info, severity })) });
}

/** A canary's Test for the probes it names, in the reserved area; it lives a minute. */
export function aCanaryAlert(facts: AlertFacts & { readonly probes: readonly string[] }): Alert {
  const alert = testAlert({ lifeSeconds: 60, ...facts });
  const area = [
    { areaDesc: 'Canary', geocode: [{ valueName: CANARY_GEOCODE, value: CANARY_AREA }] },
  ];
  return AlertSchema.parse({
    ...alert,
    status: 'Test',
    scope: 'Private',
    addresses: facts.probes.join(' '),
    info: alert.info.map((info) => ({ ...info, area })),
  });
}

export interface EnvelopeFacts {
  readonly shards?: number;
  /** Makes it a canary's. */
  readonly path?: CanaryPath;
  /** Default: the trusted key of the audience. */
  readonly key?: keyof typeof TEST_KEYS;
  /** Changed after everything has been hashed and before it is signed: what a bug or a thief in ingest could do. */
  readonly tamper?: (envelope: Envelope) => Envelope;
}

export interface SignedEnvelope {
  readonly id: string;
  readonly jws: string;
  readonly envelope: Envelope;
}

/** What ingest puts on the lanes: the envelope with a signed message in each language of the alert. */
export async function signedEnvelope(
  alert: Alert,
  facts: EnvelopeFacts = {},
): Promise<SignedEnvelope> {
  const key = TEST_KEYS[facts.key ?? (facts.path ? 'canary' : 'public')];
  const { audience } = key;
  const id = await alertId(alert);
  const hash = await contentHash(alert);
  const references = await Promise.all(
    (alert.references ?? '')
      .split(' ')
      .filter(Boolean)
      .map((each) => {
        const [sender = '', identifier = '', sent = ''] = each.split(',');
        return alertId({ sender, identifier, sent });
      }),
  );
  const signMessage = await createSigner(key, 'alert');
  const deviceMessages: Record<string, string> = {};
  for (const info of alert.info) {
    const message = deviceMessage(alert, info, {
      id,
      audience,
      references,
      contentHash: hash,
      expires: info.expires,
    });
    deviceMessages[info.language] = await signMessage(JSON.stringify(message));
  }
  const areaCodes = alertAreaCodes(alert);
  const honest: Envelope = {
    v: 1,
    id,
    audience,
    issuer: 'a',
    issuedAt: new Date(Date.parse(alert.sent)).toISOString(),
    expiresAt: new Date(expiresAtMs(alert, audience)).toISOString(),
    alert,
    references,
    contentHash: hash,
    areaCodes,
    areaHash: await areaHash(areaCodes),
    shards: facts.shards ?? 1,
    deviceMessages,
    ...(facts.path ? { path: facts.path } : {}),
  };
  const envelope = facts.tamper?.(honest) ?? honest;
  const sign = await createSigner(key, 'envelope');
  return { id: envelope.id, jws: await sign(JSON.stringify(envelope)), envelope };
}
