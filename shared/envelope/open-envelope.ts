import { alertId } from '../alert/alert-id.ts';
import { alertAreaCodes } from '../alert/area.ts';
import { audienceOfStatus, audienceProblems } from '../alert/audience.ts';
import { expiresAtMs } from '../alert/expiry.ts';
import { Envelope } from './envelope.ts';
import { areaHash, contentHash } from './hashes.ts';
import { SignatureError, type Verify } from './signature.ts';

/**
 * Verifies a signed envelope and everything that it binds: the key may speak for its audience, the audience fits the
 * alert (P6), id, content and area are what was hashed (P7). Whoever holds an opened envelope may act on it.
 * Rejects with SignatureError.
 */
export async function openEnvelope(jws: string, verify: Verify): Promise<Envelope> {
  const verified = await verify(jws);
  const parsed = Envelope.safeParse(parseJson(verified.payload));
  if (!parsed.success)
    throw new SignatureError('envelope has a shape we do not know', { cause: parsed.error });
  const envelope = parsed.data;
  const { alert } = envelope;
  if (envelope.audience !== verified.audience)
    throw new SignatureError(
      `key ${verified.kid} may not sign for the audience ${envelope.audience}`,
    );
  if (audienceOfStatus(alert.status) !== envelope.audience)
    throw new SignatureError(
      `status ${alert.status} does not go to the audience ${envelope.audience}`,
    );
  const codes = alertAreaCodes(alert);
  if (codes.join() !== envelope.areaCodes.join() || (await areaHash(codes)) !== envelope.areaHash)
    throw new SignatureError('the area is not the one that was signed');
  if (audienceProblems(alert, codes).length > 0)
    throw new SignatureError('status, scope and area do not fit together');
  if ((await contentHash(alert)) !== envelope.contentHash)
    throw new SignatureError('the content is not the one that was signed');
  if ((await alertId(alert)) !== envelope.id)
    throw new SignatureError('the id is not that of the alert');
  if (Date.parse(envelope.expiresAt) > expiresAtMs(alert, envelope.audience))
    throw new SignatureError('the envelope outlives its alert');
  if ((envelope.path !== undefined) !== (envelope.audience === 'canary'))
    throw new SignatureError('a canary names its path, and only a canary');
  return verified.trace === undefined ? envelope : { ...envelope, trace: verified.trace };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SignatureError('payload is not JSON', { cause: error });
  }
}
