import type { Alert, Info } from '../../../shared/alert/alert.ts';
import { alertId } from '../../../shared/alert/alert-id.ts';
import { alertAreaCodes } from '../../../shared/alert/area.ts';
import { type Audience, audienceOfStatus } from '../../../shared/alert/audience.ts';
import type { AlertProblem } from '../../../shared/alert/check-alert.ts';
import { expiresAtMs } from '../../../shared/alert/expiry.ts';
import { parseReferences } from '../../../shared/alert/references.ts';
import { canonicalJson } from '../../../shared/envelope/canonical-json.ts';
import { deviceMessage } from '../../../shared/envelope/device-message.ts';
import { Envelope } from '../../../shared/envelope/envelope.ts';
import { areaHash, contentHash } from '../../../shared/envelope/hashes.ts';
import { MAX_DEVICE_BYTES, pushPayloadBytes } from '../../../shared/envelope/push-payload.ts';
import type { Sign } from '../../../shared/envelope/signature.ts';
import {
  formatTraceparent,
  shortTraceId,
  type TraceContext,
} from '../../../shared/trace/trace-context.ts';
import type { CanaryRound } from './canary-path.ts';
import { capInstant } from './cap-instant.ts';

/** The most area codes that an envelope holds: all communes of the largest department, and some. */
const MAX_AREA_CODES = 1300;

/** The signers of one audience: `alert` for what reaches devices, `envelope` for what travels on the lanes. */
export interface AudienceSigners {
  readonly alert: Sign;
  readonly envelope: Sign;
}

/** Everything of the envelope that does not depend on how large the audience is. */
export type Draft = Omit<Envelope, 'shards' | 'issuer' | 'issuedAt'>;

/**
 * Makes the signed device message of every language and what binds the alert: id, expiry, hashes, references. What is
 * too long for a device is a problem here, before anything is accepted. Expects a checked alert.
 */
export async function draftEnvelope(
  alert: Alert,
  round: CanaryRound | undefined,
  signers: Readonly<Record<Audience, AudienceSigners>>,
  trace?: TraceContext,
): Promise<{ ok: true; draft: Draft } | { ok: false; problems: AlertProblem[] }> {
  const audience = audienceOfStatus(alert.status);
  if (audience === undefined) throw new Error(`status ${alert.status} was let through the check`);
  const areaCodes = alertAreaCodes(alert);
  if (areaCodes.length > MAX_AREA_CODES)
    return { ok: false, problems: [tooManyAreas(areaCodes.length)] };
  const references = await Promise.all(
    parseReferences(alert.references ?? '').references.map(alertId),
  );
  const expiresMs = expiresAtMs(alert, audience);
  const facts = {
    id: await alertId(alert),
    audience,
    expires: capInstant(expiresMs),
    references,
    contentHash: await contentHash(alert),
    nonce: round?.nonce,
  };
  // A trace that bears the alert's own id is known to the device without a word.
  const named = trace === undefined || trace.traceId === facts.id ? undefined : trace.traceId;
  const signed = await Promise.all(
    alert.info.map(async (info, i) => {
      const text = canonicalJson(deviceMessage(alert, info, facts));
      const jws = await signForDevice(text, named, signers[audience].alert);
      return { language: info.language, jws, problem: sizeProblem(info, i, pushPayloadBytes(jws)) };
    }),
  );
  const problems = signed.flatMap(({ problem }) => (problem ? [problem] : []));
  if (problems.length > 0) return { ok: false, problems };
  const draft: Draft = {
    v: 1,
    id: facts.id,
    audience,
    expiresAt: new Date(expiresMs).toISOString(),
    alert,
    references,
    contentHash: facts.contentHash,
    areaCodes,
    areaHash: await areaHash(areaCodes),
    deviceMessages: Object.fromEntries(signed.map(({ language, jws }) => [language, jws])),
    ...(round === undefined ? {} : { path: round.path }),
    ...(trace === undefined ? {} : { trace: formatTraceparent(trace) }),
  };
  return { ok: true, draft };
}

/** With the trace's id where there is room: for its sake no alert is ever too long. */
async function signForDevice(
  text: string,
  traceId: string | undefined,
  sign: Sign,
): Promise<string> {
  if (traceId === undefined) return sign(text);
  const named = await sign(text, shortTraceId(traceId));
  return pushPayloadBytes(named) <= MAX_DEVICE_BYTES ? named : sign(text);
}

/** Completes and signs a draft. Resolves to the compact JWS that both lanes carry. */
export function signEnvelope(
  { trace, ...draft }: Draft,
  issue: { shards: number; issuer: string; nowMs: number },
  sign: Sign,
): Promise<string> {
  const envelope: Envelope = {
    ...draft,
    shards: issue.shards,
    issuer: issue.issuer,
    issuedAt: new Date(issue.nowMs).toISOString(),
  };
  return sign(canonicalJson(Envelope.parse(envelope)), trace);
}

function tooManyAreas(count: number): AlertProblem {
  return {
    field: 'info[0].area',
    message: `names ${count} areas of at most ${MAX_AREA_CODES}: name departments instead of their communes`,
  };
}

/** Base64url turns three bytes into four characters, so less has to go from the text than from the message. */
function sizeProblem(info: Info, index: number, bytes: number): AlertProblem | undefined {
  const over = bytes - MAX_DEVICE_BYTES;
  if (over <= 0) return undefined;
  const field = longestText(info);
  const cut = Math.ceil((over * 3) / 4);
  return {
    field: `info[${index}].${field}`,
    message:
      `the push for ${info.language} takes ${bytes} bytes of at most ${MAX_DEVICE_BYTES}: ` +
      `shorten ${field} by at least ${cut} bytes (an accented letter is two)`,
  };
}

function longestText(info: Info): 'headline' | 'description' | 'instruction' {
  const bytes = (text: string | undefined) => Buffer.byteLength(JSON.stringify(text ?? ''));
  const fields = ['description', 'instruction', 'headline'] as const;
  return fields.reduce((longest, field) =>
    bytes(info[field]) > bytes(info[longest]) ? field : longest,
  );
}
