import { z } from 'zod';
import { type Alert, CapDateTime, type Info } from '../alert/alert.ts';
import { AlertId } from '../alert/alert-id.ts';
import { AUDIENCES, type Audience } from '../alert/audience.ts';
import { MSG_TYPES, SEVERITIES, STATUSES } from '../alert/cap-values.ts';
import { LEVELS, levelOf } from '../alert/level.ts';

/**
 * What a device gets in one language: enough to act with no network, signed by ingest, never changed on the way.
 * Names are CAP's. `references` are alert ids, so that a device can take down what an Update or Cancel is about.
 */
export const DeviceMessage = z.strictObject({
  v: z.literal(1),
  id: AlertId,
  audience: z.enum(AUDIENCES),
  status: z.enum(STATUSES),
  msgType: z.enum(MSG_TYPES),
  sent: CapDateTime,
  /** When it stops to ring, as CAP writes instants. */
  expires: CapDateTime,
  references: z.array(AlertId).max(20),
  level: z.enum(LEVELS),
  severity: z.enum(SEVERITIES),
  language: z.string(),
  senderName: z.string(),
  event: z.string(),
  headline: z.string(),
  description: z.string(),
  instruction: z.string().optional(),
  areaDesc: z.string(),
  web: z.string().optional(),
  /** The hash of the whole CAP message, so that a page or feed can be compared with the push. */
  contentHash: z.string(),
  /** Canary only: what a receipt has to repeat. */
  nonce: z.string().optional(),
});
export type DeviceMessage = z.infer<typeof DeviceMessage>;

interface DeviceMessageFacts {
  readonly id: string;
  readonly audience: Audience;
  readonly expires: string;
  readonly references: readonly string[];
  readonly contentHash: string;
  readonly nonce?: string | undefined;
}

/** The device's view of one `info`. Pure; the caller signs it. */
export function deviceMessage(alert: Alert, info: Info, facts: DeviceMessageFacts): DeviceMessage {
  return {
    v: 1,
    id: facts.id,
    audience: facts.audience,
    status: alert.status,
    msgType: alert.msgType,
    sent: alert.sent,
    expires: facts.expires,
    references: [...facts.references],
    level: levelOf(alert),
    severity: info.severity,
    language: info.language,
    senderName: info.senderName,
    event: info.event,
    headline: info.headline,
    description: info.description,
    ...(info.instruction === undefined ? {} : { instruction: info.instruction }),
    areaDesc: info.area.map((area) => area.areaDesc).join(', '),
    ...(info.web === undefined ? {} : { web: info.web }),
    contentHash: facts.contentHash,
    ...(facts.nonce === undefined ? {} : { nonce: facts.nonce }),
  };
}
