import { z } from 'zod';
import {
  CATEGORIES,
  CERTAINTIES,
  MSG_TYPES,
  RESPONSE_TYPES,
  SCOPES,
  SEVERITIES,
  STATUSES,
  URGENCIES,
} from './cap-values.ts';

/** CAP dateTime: seconds, an offset, no milliseconds and no `Z` (CAP 1.2 section 3.3.2). */
const CAP_DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/;

/**
 * A CAP instant. `2026-02-30T…` has the right shape and is no day: the date's own parts are compared with what the
 * calendar makes of them.
 */
export const CapDateTime = z
  .string()
  .regex(CAP_DATE_TIME, {
    error: 'must look like 2026-07-14T22:31:07+02:00 (an offset, no milliseconds, no Z)',
    abort: true,
  })
  .refine(
    (text) => {
      const asUtc = new Date(`${text.slice(0, 19)}Z`);
      return (
        !Number.isNaN(asUtc.getTime()) && asUtc.toISOString().slice(0, 10) === text.slice(0, 10)
      );
    },
    { error: 'is not a day of the calendar', abort: true },
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is not an instant');

/** `identifier` and `sender` go into `references`, whose separators they must not hold (CAP 1.2 section 3.2.1). */
const CapIdentifier = z
  .string()
  .min(1)
  .max(120)
  .regex(/^[^\s,<&]+$/, 'may not hold spaces, commas, < or &');

const text = (max: number) => z.string().trim().min(1).max(max);

const NameValue = z.strictObject({ valueName: text(60), value: text(200) });

export const Area = z.strictObject({
  areaDesc: text(200),
  polygon: z.array(text(4000)).max(20).optional(),
  circle: z.array(text(80)).max(20).optional(),
  geocode: z.array(NameValue).max(1300).optional(),
  altitude: z.number().optional(),
  ceiling: z.number().optional(),
});

const Resource = z.strictObject({
  resourceDesc: text(200),
  mimeType: text(100),
  size: z.int().nonnegative().optional(),
  uri: z.url().max(500).optional(),
  digest: text(100).optional(),
});

export const Info = z.strictObject({
  /** BCP 47 with a region, as CAP 1.2 wants it; `fr_FR` is invalid, and absent would mean en-US, so it is required. */
  language: z.string().regex(/^[a-z]{2,3}-[A-Z]{2}$/, 'must look like fr-FR'),
  category: z.array(z.enum(CATEGORIES)).min(1).max(5),
  event: text(100),
  responseType: z.array(z.enum(RESPONSE_TYPES)).min(1).max(9),
  urgency: z.enum(URGENCIES),
  severity: z.enum(SEVERITIES),
  certainty: z.enum(CERTAINTIES),
  audience: text(200).optional(),
  eventCode: z.array(NameValue).max(10).optional(),
  effective: CapDateTime.optional(),
  onset: CapDateTime.optional(),
  expires: CapDateTime,
  senderName: text(120),
  headline: text(160),
  description: text(2000),
  instruction: text(1500).optional(),
  web: z
    .url({ protocol: /^https$/ })
    .max(200)
    .optional(),
  contact: text(200).optional(),
  parameter: z.array(NameValue).max(20).optional(),
  resource: z.array(Resource).max(5).optional(),
  area: z.array(Area).min(1, 'an alert without an area reaches nobody: name at least one').max(50),
});

/**
 * A CAP 1.2 message as JSON: CAP's names, one key for each element, arrays where CAP repeats one. Unknown fields are
 * refused, never dropped: a misspelt `instruction` must not vanish on its way to a phone.
 */
export const Alert = z.strictObject({
  identifier: CapIdentifier,
  sender: CapIdentifier,
  sent: CapDateTime,
  status: z.enum(STATUSES),
  msgType: z.enum(MSG_TYPES),
  source: text(200).optional(),
  scope: z.enum(SCOPES),
  restriction: text(200).optional(),
  addresses: text(2000).optional(),
  code: z.array(text(100)).max(10).optional(),
  note: text(500).optional(),
  references: text(4000).optional(),
  incidents: text(500).optional(),
  info: z.array(Info).min(1).max(6),
});

export type Alert = z.infer<typeof Alert>;
export type Info = z.infer<typeof Info>;
export type Area = z.infer<typeof Area>;
