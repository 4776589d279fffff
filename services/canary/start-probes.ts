import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import type { DeviceSetup } from '../../shared/device/receive.ts';
import type { TransportKind } from '../../shared/envelope/envelope.ts';
import type { Verify } from '../../shared/envelope/signature.ts';
import type { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { CanaryConfig } from './config.ts';
import type { Drills } from './drills/start-drills.ts';
import type { CanaryEvents } from './events.ts';
import { startAutopushProbe } from './probes/autopush-probe.ts';
import type { Probe, ProbeEvents } from './probes/probe.ts';
import { startConfiguredFcmProbe } from './probes/start-fcm-probe.ts';
import type { OwnReceipts } from './receipts/own-receipts.ts';
import { registerProbes } from './register-probes.ts';
import { type TakeDeps, takePayload } from './take-payload.ts';
import { watchSilence } from './watch-silence.ts';

type ProbesOptions = Pick<
  CanaryConfig,
  'autopushUrl' | 'vapidPublicKey' | 'fcmProbe' | 'edgeUrls' | 'periodMs'
> & {
  readonly names: Readonly<Record<TransportKind, string>>;
  readonly dataDir: string;
  readonly internalToken: string;
};

interface ProbesDeps extends Pick<TakeDeps, 'keep'> {
  readonly cleanup: CleanupStack;
  readonly drills: Drills;
  readonly receipts: OwnReceipts;
  readonly verify: Verify;
  readonly events: CanaryEvents;
  readonly log: Logger;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

interface ProvingProbes {
  readonly probes: readonly Probe[];
  /** What becomes of what a probe hears: the same for every receiver in this process. */
  readonly hearing: Pick<ProbeEvents, 'onPayload' | 'onUndecryptable'>;
  readonly deviceOf: (probe: Probe) => DeviceSetup;
  /** When (by `now`) a probe last heard something that was verified. */
  readonly lastHeardMs: (probe: string) => number | undefined;
  readonly registered: () => boolean;
  readonly registeredCount: () => number;
  readonly running: Promise<unknown>;
}

/** The probes whose receipts prove paths, one for each transport: listening, in the registry, and looked after. */
export function startProbes(options: ProbesOptions, deps: ProbesDeps): ProvingProbes {
  const { names, dataDir } = options;
  const { cleanup, drills, events, now } = deps;
  const lastHeard = new Map<string, number>();
  const devices = new Map<Probe, DeviceSetup>();
  const deviceOf = (probe: Probe) => {
    const setup = devices.get(probe) ?? {
      verify: deps.verify,
      accepts: ['canary', 'public'] as const,
      store: createInMemoryStore(),
      now: deps.wallNow,
    };
    devices.set(probe, setup);
    return setup;
  };
  const taking: TakeDeps = {
    ...deps,
    deviceOf,
    drill: drills.heard,
    heard: (probe) => lastHeard.set(probe.name, now()),
  };
  let registerAgain: () => void = () => undefined;
  const hearing = {
    onPayload: (probe: Probe, payload: unknown) => takePayload(probe, payload, taking),
    onUndecryptable: (probe: Probe) => events.refused(probe.name, 'undecryptable'),
  };
  const probeEvents: ProbeEvents = { ...hearing, onSubscription: () => registerAgain() };
  const probeDeps = { log: deps.log, random: deps.random };
  const autopush = drills.probe((told) => {
    const { autopushUrl: url, vapidPublicKey } = options;
    const settings = { name: names['web-push'], url, vapidPublicKey, dataDir };
    return startAutopushProbe(settings, { ...probeDeps, ...told });
  }, probeEvents);
  cleanup.add('autopush probe', () => autopush.close());
  const fcm = drills.probe((told) => {
    const where = { name: names.fcm, dataDir };
    return startConfiguredFcmProbe(options.fcmProbe, where, { ...probeDeps, ...told });
  }, probeEvents);
  cleanup.add('fcm probe', () => fcm.close());
  const probes = [autopush, fcm];
  const target = { edgeUrls: options.edgeUrls, token: options.internalToken };
  const registration = registerProbes(probes, target, deps);
  registerAgain = registration.again;
  const lastHeardMs = (probe: string) => lastHeard.get(probe);
  return {
    probes,
    hearing,
    deviceOf,
    lastHeardMs,
    registered: registration.registered,
    registeredCount: registration.count,
    running: Promise.all([
      registration.running,
      watchSilence(probes, options.periodMs, { ...deps, lastHeardMs, registerAgain }),
    ]),
  };
}
