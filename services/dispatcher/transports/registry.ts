import type { Registry } from 'prom-client';
import type { z } from 'zod';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { PushAddress } from '../../../shared/subscription/subscription.ts';
import { buildFcmTransport } from './fcm/build.ts';
import { fcmEnv } from './fcm/config.ts';
import { guardTransport } from './guard-transport.ts';
import type { Transport } from './transport.ts';
import { createTransportMetrics, type TransportEventDeps } from './transport-metrics.ts';
import { buildWebPushTransport, type WebPushParts } from './web-push/build.ts';
import { webPushEnv } from './web-push/config.ts';

/** Every transport's environment variables, to be spread into the dispatcher's schema. */
export const transportsEnv = { ...fcmEnv, ...webPushEnv };
export type TransportsConfig = z.infer<z.ZodObject<typeof transportsEnv>>;

type AddressOf<Kind extends TransportKind> = Extract<PushAddress, { transport: Kind }>;
export type Transports = { readonly [Kind in TransportKind]: Transport<AddressOf<Kind>> };
type Builders = {
  readonly [Kind in TransportKind]: (
    config: TransportsConfig,
    deps: TransportEventDeps,
    parts: WebPushParts,
  ) => Transport<AddressOf<Kind>>;
};

/** A new transport is one folder and one line here. */
const BUILDERS: Builders = {
  fcm: buildFcmTransport,
  'web-push': buildWebPushTransport,
};

/**
 * Builds every transport; connections open in the background (`warmUp` waits for them). Reads the key files: throws
 * ConfigError when one is wrong. Call once per metrics registry.
 */
export function buildTransports(
  config: TransportsConfig,
  log: Logger,
  registry: Registry,
  parts: WebPushParts,
): Transports {
  const deps = { log, metrics: createTransportMetrics(registry) };
  // Files first: what opens connections comes when nothing can throw any more.
  const webPush = BUILDERS['web-push'](config, deps, parts);
  const fcm = BUILDERS.fcm(config, deps, parts);
  return { fcm: guardTransport(fcm, deps), 'web-push': guardTransport(webPush, deps) };
}
