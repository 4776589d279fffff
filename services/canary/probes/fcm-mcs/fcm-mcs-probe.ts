import { performance } from 'node:perf_hooks';
import type { Logger } from '../../../../shared/log/logger.ts';
import type { DataMessage } from '../../../../shared/mcs/stanzas.ts';
import type { BackoffOptions } from '../../../../shared/time/backoff.ts';
import { keepConnected } from '../keep-connected.ts';
import type { Probe, ProbeEvents } from '../probe.ts';
import { probeSubscription } from '../probe-state.ts';
import type { FcmApp, FcmServers } from './fcm-probe-config.ts';
import { MCS_CLIENT_TIMINGS, type McsTimings, runMcsSession } from './mcs-client.ts';
import { createRegisteredDevice } from './registered-device.ts';

interface FcmMcsProbeOptions {
  readonly name: string;
  readonly servers: FcmServers;
  readonly app: FcmApp;
  readonly dataDir: string;
  readonly timings?: McsTimings;
  /** Waits between two tries (ms). */
  readonly pauses?: BackoffOptions;
  /** What the servers' certificates have to come from, PEM; absent: what Node trusts. */
  readonly ca?: string | undefined;
}

interface FcmMcsProbeDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
}

/** Words in the data that are Google's and not the sender's (firebase.google.com, "About FCM messages"). */
const GOOGLES_WORD = /^(?:google\.|gcm\.|from$|message_type$|collapse_key$)/;

/**
 * An FCM device without a phone: it checks in, registers as an app and takes messages from Google's own stream, with the
 * certificate checked. What it proves ends at Google's device side; the page says that it is emulated, a second opinion.
 * Against the sandbox and against Google it is the same code.
 */
export function startFcmMcsProbe(options: FcmMcsProbeOptions, deps: FcmMcsProbeDeps): Probe {
  const { servers, ca, timings = MCS_CLIENT_TIMINGS, pauses } = options;
  const device = createRegisteredDevice(options, { log: deps.log, ca });
  const onData = async (message: DataMessage) => {
    const { persistentId } = message;
    if (persistentId !== undefined && device.receivedIds().includes(persistentId)) return;
    try {
      await takeMessage(message, options.app, probe, deps);
    } finally {
      // Also one that could not be handled: it would come again at each login and hold up all that is behind it.
      if (persistentId !== undefined) device.remember(persistentId);
    }
  };
  const connectOnce = async (onOpen: () => void, signal: AbortSignal) => {
    const identity = await device.become(signal);
    if (!identity) return;
    const onLogin = () => {
      onOpen();
      deps.onSubscription(probe);
    };
    const end = await runMcsSession(
      { server: servers.mcs, identity, receivedIds: device.receivedIds(), timings },
      { onLogin, onData },
      { log: deps.log, now: () => performance.now(), ca, signal },
    );
    if (end === 'login-refused') device.forget();
  };
  const connection = keepConnected(connectOnce, { ...deps, pauses });
  const probe: Probe = {
    name: options.name,
    transport: 'fcm',
    deviceId: device.deviceId,
    subscription: () => {
      const token = device.token();
      if (token === undefined) return undefined;
      return probeSubscription(device.deviceId, { transport: 'fcm', token });
    },
    connected: connection.connected,
    renew: () => {
      device.forget();
      connection.drop();
    },
    close: connection.close,
  };
  return probe;
}

/** Hands on what our sender sent to our app; anything else on the stream is not for us. */
async function takeMessage(
  { from, category, appData, rawData }: DataMessage,
  app: FcmApp,
  probe: Probe,
  deps: FcmMcsProbeDeps,
): Promise<void> {
  const isOurs = from === app.senderId && category === app.packageName;
  const words = Object.entries(appData).filter(([word]) => !GOOGLES_WORD.test(word));
  if (isOurs && words.length > 0) {
    await deps.onPayload(probe, Object.fromEntries(words));
    return;
  }
  if (isOurs && rawData !== undefined) deps.onUndecryptable(probe);
  deps.log.warn({ type: appData['message_type'] }, 'FCM sent what is no alert of ours');
}
