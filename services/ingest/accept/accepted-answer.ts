import { z } from 'zod';
import { type Alert, CapDateTime } from '../../../shared/alert/alert.ts';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import { MSG_TYPES, STATUSES } from '../../../shared/alert/cap-values.ts';
import { Lane, NodeName, TransportKind } from '../../../shared/envelope/envelope.ts';

export const Durability = z.enum(['two-sites', 'one-site']);

/** Body of the 202. `storedBy` is who had acknowledged, synced to disk, when it was answered. */
export const AcceptedAnswer = z.strictObject({
  id: AlertId,
  identifier: z.string(),
  sender: z.string(),
  sent: CapDateTime,
  status: z.enum(STATUSES),
  msgType: z.enum(MSG_TYPES),
  durability: Durability,
  storedBy: z.array(z.strictObject({ site: NodeName, lane: Lane, node: NodeName })),
  /** Subscriptions in the area, as the dispatchers know it; null when none could say in time, or for a Test. */
  audience: z
    .strictObject({
      total: z.int().nonnegative(),
      counts: z.partialRecord(TransportKind, z.int().nonnegative()),
    })
    .nullable(),
  links: z.strictObject({
    self: z.string(),
    cancel: z.string(),
    update: z.string(),
    /** What this ingest did with it; missing in answers that an older version gave. */
    trace: z.string().optional(),
  }),
  /** What its reader has to know, in plain words: only one site holds it, or nobody subscribed in the area. */
  warning: z.strictObject({ fr: z.string(), en: z.string() }).optional(),
});
export type AcceptedAnswer = z.infer<typeof AcceptedAnswer>;

/** The answer to the author of an alert, with the warnings that it needs. */
export function acceptedAnswer(
  id: string,
  { identifier, sender, sent, status, msgType }: Alert,
  stored: Pick<AcceptedAnswer, 'durability' | 'storedBy' | 'audience'>,
): AcceptedAnswer {
  const self = `/v1/alerts/${id}`;
  const warning = warningFor(stored.durability, stored.audience);
  return {
    id,
    identifier,
    sender,
    sent,
    status,
    msgType,
    ...stored,
    links: {
      self,
      cancel: `${self}/cancel`,
      update: `${self}/update`,
      trace: `${self}/trace`,
    },
    ...(warning === undefined ? {} : { warning }),
  };
}

/** Why "one-site" is worth a call: what its reader has to know and to do. */
const ONE_SITE_WARNING = {
  fr: 'L’alerte part, mais un seul site la conserve : si ce site tombe maintenant, elle peut s’arrêter. Prévenez l’astreinte et suivez la diffusion.',
  en: 'The alert is going out, but only one site holds it: if that site fails now, it may stop. Tell the on-call engineer and watch the progress.',
} as const;

/** A code that no commune has, or that nobody chose, is well formed all the same: the alert would reach nobody. */
const NOBODY_WARNING = {
  fr: 'Aucun appareil n’est inscrit dans cette zone : vérifiez les codes INSEE, et prévenez la population par les autres moyens.',
  en: 'No device is registered in this area: check the INSEE codes, and warn people by the other means.',
} as const;

/** The warnings that an answer needs, as one text in each language. */
export function warningFor(
  durability: AcceptedAnswer['durability'],
  audience: AcceptedAnswer['audience'],
): AcceptedAnswer['warning'] {
  const warnings = [
    ...(durability === 'one-site' ? [ONE_SITE_WARNING] : []),
    ...(audience?.total === 0 ? [NOBODY_WARNING] : []),
  ];
  if (warnings.length === 0) return undefined;
  return {
    fr: warnings.map(({ fr }) => fr).join(' '),
    en: warnings.map(({ en }) => en).join(' '),
  };
}
