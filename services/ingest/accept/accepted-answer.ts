import { z } from 'zod';
import { CapDateTime } from '../../../shared/alert/alert.ts';
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
  links: z.strictObject({ self: z.string(), cancel: z.string(), update: z.string() }),
  /** Only with one-site: what it means, in plain words. */
  warning: z.strictObject({ fr: z.string(), en: z.string() }).optional(),
});
export type AcceptedAnswer = z.infer<typeof AcceptedAnswer>;

/** Why "one-site" is worth a call: what its reader has to know and to do. */
export const ONE_SITE_WARNING = {
  fr: 'L’alerte part, mais un seul site la conserve : si ce site tombe maintenant, elle peut s’arrêter. Prévenez l’astreinte et suivez la diffusion.',
  en: 'The alert is going out, but only one site holds it: if that site fails now, it may stop. Tell the on-call engineer and watch the progress.',
} as const;
