import { z } from 'zod';
import { jsonOf } from '../config/parse-env.ts';
import { NodeName } from '../envelope/envelope.ts';

/** How to reach one site's JetStream. */
export const BusSite = z.strictObject({
  site: NodeName,
  /** One URL, or several of the same site's R3 cluster, separated by commas. */
  url: z.string().min(1),
  /** Monitoring addresses, separated by commas where the site has a cluster: to see whether the servers sync each write. */
  monitorUrl: z
    .string()
    .refine(
      (text) => text.split(',').every((url) => z.url().safeParse(url).success),
      'must be an address, or several separated by commas',
    ),
  user: z.string().optional(),
  passwordFile: z.string().optional(),
  /** Replicas of each stream inside the site: 1, or 3 in a cluster. */
  replicas: z.union([z.literal(1), z.literal(3)]).default(1),
});
export type BusSite = z.infer<typeof BusSite>;

/** The NATS_SITES variable. Empty is allowed: the direct lane needs no bus. */
export const BusSites = jsonOf(z.array(BusSite).max(5)).default([]);

/** A node of some kind in some site, as in DISPATCHERS, INGESTS, CANARIES, EDGES. */
export const Peer = z.strictObject({ name: NodeName, site: NodeName, url: z.url() });
export type Peer = z.infer<typeof Peer>;
export const Peers = jsonOf(z.array(Peer).max(20)).default([]);
