import type { Express } from 'express';
import type { KeySet } from '../../../shared/envelope/key-set.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { receiptKeyOf } from '../../../shared/receipt/signed-receipt.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { CanaryEvents } from '../events.ts';
import type { PathState } from '../judge.ts';
import type { CanaryMetrics } from '../metrics.ts';
import { addProbePage } from '../probe-page/probe-page.ts';
import type { Probe, ProbeEvents } from '../probes/probe.ts';
import { startUnifiedPushProbe } from '../probes/unified-push/unified-push-probe.ts';
import type { OwnReceipts } from '../receipts/own-receipts.ts';
import type { ReceiptDesk } from '../receipts/receipt-desk.ts';
import { importProbes, registerProbes } from '../register-probes.ts';
import { watchSilence } from '../watch-silence.ts';
import { createDeviceDesk } from './device-desk.ts';
import { addDeviceRoutes } from './device-routes.ts';
import { createEnrolmentCodes } from './enrolment-codes.ts';
import { openProbeDevices, type ProbeDevice, probeOfDevice } from './probe-devices.ts';
import { createReceiverEvents } from './receiver-events.ts';
import type { ReceiverLog } from './receiver-log.ts';

interface ReceiversOptions {
  readonly canary: string;
  readonly dataDir: string;
  readonly edgeUrls: readonly string[];
  readonly internalToken: string;
  readonly vapidPublicKey: string;
  readonly keySet: KeySet;
  readonly periodMs: number;
  /** Self-hosted push service; undefined: no such receiver. */
  readonly unifiedPushUrl: string | undefined;
  readonly unifiedPushToken: string | undefined;
  /** How many probe pages there may be; 0: none, and no page for them. */
  readonly maxDevices: number;
}

interface ReceiversDeps extends Pick<ProbeEvents, 'onPayload' | 'onUndecryptable'> {
  readonly desk: ReceiptDesk;
  readonly receipts: OwnReceipts;
  readonly receiverLog: ReceiverLog;
  readonly lastHeardMs: (probe: string) => number | undefined;
  readonly events: CanaryEvents;
  readonly metrics: CanaryMetrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Receivers beside those that prove paths: each is sent every round of its transport and proves itself alone. */
export interface Receivers {
  /** Device ids, as they are now: rounds are addressed to them too. */
  readonly deviceIds: () => string[];
  /** How many of them an edge has taken. */
  readonly count: () => number;
  readonly addRoutes: (app: Express) => void;
  readonly running: Promise<unknown>;
  readonly close: () => Promise<void>;
}

const LOOK_EVERY_MS = 1_000;

/**
 * The UnifiedPush receiver and the probe pages. They register apart from the proving probes: a browser whose address no
 * edge takes must not keep those out.
 */
export function startReceivers(options: ReceiversOptions, deps: ReceiversDeps): Receivers {
  const { receiverLog, desk, events, signal } = deps;
  const receiverEvents = createReceiverEvents(deps.log);
  const target = { edgeUrls: options.edgeUrls, token: options.internalToken };
  const unifiedPush = startUnifiedPush(options, deps, () => registration.again());
  const probes: Probe[] = unifiedPush ? [unifiedPush] : [];
  const devices = openProbeDevices(options.dataDir, {
    ...options,
    ...deps,
    limit: options.maxDevices,
  });
  const admit = (device: ProbeDevice) => {
    desk.admit(receiptKeyOf(device.name, device.publicKey));
    receiverLog.watch({ name: device.name, kind: 'browser', label: device.label });
    probes.push(probeOfDevice(device, devices));
  };
  for (const device of devices.all()) admit(device);
  // The list is read anew each time: devices come and go.
  const registration = registerProbes(probes, target, { events, random: deps.random, signal });
  const deviceDesk = createDeviceDesk({
    devices,
    codes: createEnrolmentCodes(deps.wallNow),
    events: receiverEvents,
    register: (subscription) => importProbes([subscription], target, signal),
    onEnrolled: (device) => {
      admit(device);
      registration.again();
    },
    onMoved: registration.again,
    onRemoved: (name) => {
      desk.expel(name);
      receiverLog.forget(name);
      probes.splice(
        probes.findIndex((probe) => probe.name === name),
        1,
      );
    },
  });
  return {
    deviceIds: () => probes.map(({ deviceId }) => deviceId),
    count: () => Math.min(registration.count(), probes.length),
    addRoutes: (app) => {
      if (options.maxDevices === 0) return;
      addProbePage(app);
      const { canary, vapidPublicKey, keySet, periodMs } = options;
      addDeviceRoutes(app, {
        internalToken: options.internalToken,
        desk: deviceDesk,
        devices,
        states: receiverLog.states,
        handIn: async (jws) => {
          const handed = await desk.handIn(jws);
          if (handed.kind === 'refused') events.refused(handed.probe ?? 'nobody', handed.reason);
          return handed;
        },
        forPages: { canary, vapidPublicKey, keySet, periodSeconds: periodMs / 1000 },
      });
    },
    running: Promise.all([
      registration.running,
      watchSilence(unifiedPush ? [unifiedPush] : [], options.periodMs, {
        ...deps,
        registerAgain: registration.again,
      }),
      watchReceivers(receiverEvents.stateChanged, unifiedPush, deps),
    ]),
    close: async () => {
      await unifiedPush?.close();
    },
  };
}

function startUnifiedPush(
  { canary, unifiedPushUrl: url, unifiedPushToken: token, dataDir }: ReceiversOptions,
  deps: ReceiversDeps,
  onSubscription: () => void,
): Probe | undefined {
  if (url === undefined) return undefined;
  const name = `${canary}-unified-push`;
  deps.receipts.enlist(name);
  deps.receiverLog.watch({ name, kind: 'unified-push' });
  deps.metrics.witnesses.inc({ probe: name }, 0);
  return startUnifiedPushProbe({ name, url, token, dataDir }, { ...deps, onSubscription });
}

/** Tells each change of a receiver's state as it happens, also when nothing happened but time. */
async function watchReceivers(
  onChange: (probe: string, from: PathState, to: PathState) => void,
  unifiedPush: Probe | undefined,
  { receiverLog, metrics, signal }: ReceiversDeps,
): Promise<void> {
  const before = new Map<string, PathState>();
  do {
    for (const { name, state } of receiverLog.states()) {
      const last = before.get(name) ?? 'not-measured';
      if (last !== state) onChange(name, last, state);
      before.set(name, state);
    }
    if (unifiedPush)
      metrics.probeConnected.set({ probe: unifiedPush.name }, unifiedPush.connected() ? 1 : 0);
  } while (await sleep(LOOK_EVERY_MS, signal));
}
