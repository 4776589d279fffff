import { z } from 'zod';

/**
 * What ingest answers, as far as a person at a terminal needs it. Everything else is let through, and what may be absent
 * is optional: an older or newer ingest must not keep anybody from raising an alert.
 */
export const AcceptedAnswer = z.looseObject({
  id: z.string(),
  durability: z.string().optional().catch(undefined),
  storedBy: z
    .array(z.looseObject({ site: z.string(), lane: z.string() }))
    .default([])
    .catch([]),
  audience: z
    .looseObject({ counts: z.record(z.string(), z.number()) })
    .nullish()
    .catch(undefined),
  links: z.record(z.string(), z.string()).default({}).catch({}),
});
export type AcceptedAnswer = z.infer<typeof AcceptedAnswer>;

const Count = z.number().nonnegative().default(0);

const TransportStatus = z.looseObject({
  audience: Count,
  accepted: Count,
  gone: Count,
  rejected: Count,
  pending: Count,
  firstAcceptedAt: z.string().nullish(),
  lastAcceptedAt: z.string().nullish(),
  timing: z
    .looseObject({
      firstSeconds: z.number(),
      p50Seconds: z.number(),
      p95Seconds: z.number(),
      p99Seconds: z.number(),
      lastSeconds: z.number(),
    })
    .nullish()
    .catch(undefined),
});
export type TransportStatus = z.infer<typeof TransportStatus>;

const NodeStatus = z.looseObject({
  node: z.string(),
  state: z.string(),
  receivedAt: z.string().nullish(),
  transports: z
    .record(z.string(), z.looseObject({ accepted: z.number() }))
    .default({})
    .catch({}),
});

export const AlertStatus = z.looseObject({
  id: z.string(),
  state: z.string(),
  issuedAt: z.string().optional(),
  alert: z.looseObject({ sent: z.string(), status: z.string() }).optional().catch(undefined),
  nodes: z.array(NodeStatus).default([]),
  transports: z.record(z.string(), TransportStatus).default({}),
  /** `known` lists the witnesses, one for each probe that received it. */
  probes: z
    .looseObject({
      received: z.number(),
      total: z.number().optional().catch(undefined),
      known: z.array(z.looseObject({ receivedAt: z.string() })),
    })
    .optional()
    .catch(undefined),
  deviceReceipts: z.record(z.string(), z.record(z.string(), z.number())).default({}).catch({}),
});
export type AlertStatus = z.infer<typeof AlertStatus>;

export const RoutesAnswer = z.looseObject({
  routes: z.array(
    z.looseObject({
      path: z.looseObject({
        ingest: z.string(),
        lane: z.string(),
        dispatcher: z.string(),
        transport: z.string(),
      }),
      ageSeconds: z.number().nullable(),
    }),
  ),
});
