import { startFcmMcsProbe } from './fcm-mcs/fcm-mcs-probe.ts';
import type { FcmProbeConfig } from './fcm-mcs/fcm-probe-config.ts';
import { startFcmProbe } from './fcm-probe.ts';
import type { Probe } from './probe.ts';

type FcmProbeDeps = Parameters<typeof startFcmMcsProbe>[1];

/** The FCM probe that the settings ask for. */
export function startConfiguredFcmProbe(
  config: FcmProbeConfig,
  where: { readonly name: string; readonly dataDir: string },
  deps: FcmProbeDeps,
): Probe {
  return config.kind === 'mcs'
    ? startFcmMcsProbe({ ...where, servers: config.servers, app: config.app }, deps)
    : startFcmProbe({ ...where, url: config.url, tokensUrl: config.tokensUrl }, deps);
}
