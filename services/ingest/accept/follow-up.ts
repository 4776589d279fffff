import { z } from 'zod';
import { type Alert, type Area, CapDateTime, type Info } from '../../../shared/alert/alert.ts';
import {
  formatReference,
  parseReferences,
  type Reference,
} from '../../../shared/alert/references.ts';
import { canonicalJson } from '../../../shared/envelope/canonical-json.ts';
import { contentHash } from '../../../shared/envelope/hashes.ts';
import { capInstant } from './cap-instant.ts';

/** What a person may say about why an alert is taken back, in one language. */
const Reason = z.strictObject({
  headline: z.string().max(160).optional(),
  description: z.string().max(2000).optional(),
  instruction: z.string().max(1500).optional(),
});

/** Body of `POST /v1/alerts/{id}/cancel`: everything may be left out. */
export const CancelRequest = z.strictObject({
  /** Default: derived from what the Cancel says. */
  identifier: z.string().max(120).optional(),
  sent: CapDateTime.optional(),
  /** language (as in the alert, such as fr-FR) → texts; where none is given, a plain sentence stands. */
  reason: z.partialRecord(z.string(), Reason).optional(),
});
export type CancelRequest = z.infer<typeof CancelRequest>;

/** Body of `POST /v1/alerts/{id}/update`: the new `info`, whole. It is checked as part of the message it makes. */
export const UpdateRequest = z.strictObject({
  identifier: z.string().max(120).optional(),
  sent: CapDateTime.optional(),
  /** For every info that names none of its own; default: that of the alert. */
  expires: CapDateTime.optional(),
  info: z.array(z.record(z.string(), z.unknown())).min(1).max(6),
});
export type UpdateRequest = z.infer<typeof UpdateRequest>;

/** An alert and the updates that followed it, oldest first. */
export type Chain = readonly [Alert, ...Alert[]];

const MAX_REFERENCES = 20;
/** A message lives at least a minute, also one that ends an alert that has less left. */
const SHORTEST_LIFE_MS = 60_000;

/**
 * The CAP Cancel of an alert: same sender, status, languages and areas; it refers to the alert and to every update, so
 * that a device takes down whichever it shows. Areas of updates are added: whoever got one of them hears it too.
 *
 * A Cancel says that the message was wrong. That a danger is over is said by an Update with responseType AllClear.
 *
 * Two ingests may know different updates and so make different Cancels of one request. Unless the client names it, a
 * Cancel is named by what it says: the same words are the same message, other words or references are another one, and
 * both may go out, for a second Cancel of the same alert does no harm.
 */
export async function buildCancel(
  chain: Chain,
  request: CancelRequest,
  nowMs: number,
): Promise<Alert> {
  const cancel = unnamedCancel(chain, request, nowMs);
  const identifier = request.identifier ?? nameOf(chain[0], await contentHash(cancel));
  return { ...cancel, identifier };
}

const NAME_CHARACTERS = 96;
const HASH_CHARACTERS = 16;

/** Within the 120 characters of an identifier, however long that of the alert is. */
function nameOf(first: Alert, hash: string): string {
  return `${first.identifier.slice(0, NAME_CHARACTERS)}.cancel-${hash.slice(0, HASH_CHARACTERS)}`;
}

function unnamedCancel(chain: Chain, request: CancelRequest, nowMs: number): Alert {
  const [first] = chain;
  const latest = chain.at(-1) ?? first;
  const sent = request.sent ?? capInstant(nowMs);
  const expiresMs = Math.max(
    Date.parse(sent) + SHORTEST_LIFE_MS,
    ...chain.flatMap(({ info }) => info.map(({ expires }) => Date.parse(expires))),
  );
  const area = unitedAreas(chain);
  return {
    ...head(first, 'Cancel', '', sent),
    references: referencesTo(chain),
    info: latest.info.map((info) => ({
      language: info.language,
      category: info.category,
      event: info.event,
      responseType: ['None'],
      urgency: 'Past',
      severity: info.severity,
      certainty: info.certainty,
      expires: capInstant(expiresMs),
      senderName: info.senderName,
      ...cancelTexts(first, info, request.reason?.[info.language] ?? {}),
      ...(info.eventCode === undefined ? {} : { eventCode: info.eventCode }),
      ...(info.web === undefined ? {} : { web: info.web }),
      ...(info.contact === undefined ? {} : { contact: info.contact }),
      area: area ?? info.area,
    })),
  };
}

/** Languages that a cancel request gives texts for and the alert does not have: a typing error that would be lost. */
export function unknownLanguages(chain: Chain, request: CancelRequest): string[] {
  const languages = (chain.at(-1) ?? chain[0]).info.map(({ language }) => language);
  return Object.keys(request.reason ?? {}).filter((language) => !languages.includes(language));
}

/** A CAP Update, not yet checked: the new infos come from outside. */
export function buildUpdate(chain: Chain, request: UpdateRequest, nowMs: number): unknown {
  const [first] = chain;
  const latest = chain.at(-1) ?? first;
  const expires = request.expires ?? latest.info[0]?.expires;
  return {
    ...head(
      first,
      'Update',
      request.identifier ?? `${first.identifier}.update-${chain.length}`,
      request.sent ?? capInstant(nowMs),
    ),
    references: referencesTo(chain),
    info: request.info.map((info) => ({ expires, ...info })),
  };
}

function head(first: Alert, msgType: 'Update' | 'Cancel', identifier: string, sent: string) {
  return {
    identifier,
    sender: first.sender,
    sent,
    status: first.status,
    msgType,
    scope: first.scope,
    ...(first.addresses === undefined ? {} : { addresses: first.addresses }),
    ...(first.code === undefined ? {} : { code: first.code }),
    ...(first.incidents === undefined ? {} : { incidents: first.incidents }),
  };
}

/** The alert, what it refers to itself, and its updates. Should they be too many, the youngest count: devices show those. */
function referencesTo(chain: Chain): string {
  const all: Reference[] = [...parseReferences(chain[0].references ?? '').references, ...chain];
  return [...new Set(all.map(formatReference))].slice(-MAX_REFERENCES).join(' ');
}

/** The areas of all messages of the chain, when some update named others; undefined when all are the same. */
function unitedAreas(chain: Chain): Area[] | undefined {
  const areas = chain.flatMap(({ info }) => info[0]?.area ?? []);
  const spelt = new Map(areas.map((area) => [canonicalJson(area.geocode ?? []), area]));
  const latest = chain.at(-1)?.info[0]?.area.length;
  return spelt.size === latest ? undefined : [...spelt.values()];
}

const CANCELLED = {
  french: 'ALERTE ANNULÉE\u00a0: ce message a été envoyé par erreur. N’en tenez plus compte.',
  english: 'ALERT CANCELLED: this message was sent by mistake. Please disregard it.',
};

/** Exercises keep their word: whatever a client does with `status`, people read it. */
function cancelTexts(first: Alert, info: Info, reason: z.infer<typeof Reason>) {
  const french = info.language.startsWith('fr');
  const exercise = first.status === 'Exercise' ? (french ? 'EXERCICE – ' : 'EXERCISE – ') : '';
  const description = french
    ? `${info.senderName} annule le message «\u00a0${info.headline}\u00a0».`
    : `${info.senderName} cancels the message “${info.headline}”.`;
  return {
    headline: reason.headline ?? `${exercise}${french ? CANCELLED.french : CANCELLED.english}`,
    description: reason.description ?? description,
    ...(reason.instruction === undefined ? {} : { instruction: reason.instruction }),
  };
}
