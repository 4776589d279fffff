import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { errorFields } from '../../../../shared/log/error-fields.ts';
import type { Logger } from '../../../../shared/log/logger.ts';
import type { DataMessage } from '../../../../shared/mcs/stanzas.ts';
import { DeviceId } from '../../../../shared/subscription/subscription.ts';
import { backoffMs } from '../../../../shared/time/backoff.ts';
import { sleep } from '../../../../shared/time/sleep.ts';
import type { Probe, ProbeEvents } from '../probe.ts';
import { newDeviceId, probeSubscription, stateFile } from '../probe-state.ts';
import type { FcmApp, FcmServers } from './fcm-probe-config.ts';
import { MCS_CLIENT_TIMINGS, type McsTimings, runMcsSession } from './mcs-client.ts';
import { MAX_RECEIVED_IDS, withReceivedId } from './received-ids.ts';
import { checkIn, registerApp } from './register-device.ts';

interface FcmMcsProbeOptions {
  readonly name: string;
  readonly servers: FcmServers;
  readonly app: FcmApp;
  readonly dataDir: string;
  readonly timings?: McsTimings;
  /** Waits between two tries (ms). */
  readonly reconnect?: { readonly firstMs: number; readonly maxMs: number };
  /** What the servers' certificates have to come from, PEM; absent: what Node trusts. */
  readonly ca?: string | undefined;
}

interface FcmMcsProbeDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
}

const Digits = z.string().regex(/^\d{1,20}$/);
const McsState = z.object({
  deviceId: DeviceId,
  identity: z.object({ androidId: Digits, securityToken: Digits }).optional(),
  /** The token, and the fingerprint of the app and the server that it was given for. */
  registration: z.object({ token: z.string(), of: z.string() }).optional(),
  receivedIds: z.array(z.string().max(500)).max(MAX_RECEIVED_IDS).default([]),
});
type McsState = z.infer<typeof McsState>;

const RECONNECT = { firstMs: 500, maxMs: 15_000 };
/** Words in the data that are Google's and not the sender's (firebase.google.com, "About FCM messages"). */
const GOOGLES_WORD = /^(?:google\.|gcm\.|from$|message_type$|collapse_key$)/;

/**
 * An FCM device without a phone: it checks in, registers as an app and takes messages from Google's own stream, with the
 * certificate checked. What it proves ends at Google's device side; the page says that it is emulated, a second opinion.
 * Against the sandbox and against Google it is the same code.
 */
export function startFcmMcsProbe(options: FcmMcsProbeOptions, deps: FcmMcsProbeDeps): Probe {
  const file = stateFile(options.dataDir, 'probe-fcm', McsState);
  let state: McsState = file.read() ?? { deviceId: newDeviceId(), receivedIds: [] };
  const keep = (next: McsState) => {
    state = next;
    file.write(next);
  };
  keep(state);
  const stop = new AbortController();
  let connection = new AbortController();
  let checkedIn = false;
  let connected = false;
  const registrationOf = fingerprint([options.servers.registerUrl, ...Object.values(options.app)]);
  const token = () =>
    state.registration?.of === registrationOf ? state.registration.token : undefined;
  /** Everything that the servers gave us; who we are for the edge stays. */
  const forget = () => {
    checkedIn = false;
    keep({ deviceId: state.deviceId, receivedIds: [] });
  };
  const post = { ca: options.ca, signal: stop.signal };

  const becomeDevice = async () => {
    if (!checkedIn) {
      try {
        const identity = await checkIn(options.servers, state.identity, post);
        if (identity.androidId !== state.identity?.androidId)
          keep({ deviceId: state.deviceId, identity, receivedIds: [] });
        checkedIn = true;
      } catch (error) {
        // Who is registered does without: a check-in that is down says nothing of the stream.
        if (token() === undefined) throw error;
        deps.log.warn(errorFields(error), 'FCM check-in failed; the identity at hand is used');
      }
    }
    const { identity } = state;
    if (identity && token() === undefined) {
      const registered = await registerApp(options.servers, options.app, identity, post);
      if (registered === 'identity-refused') forget();
      else keep({ ...state, registration: { token: registered.token, of: registrationOf } });
    }
    return token() === undefined ? undefined : state.identity;
  };
  const take = async (message: DataMessage) => {
    const { persistentId } = message;
    if (persistentId !== undefined && state.receivedIds.includes(persistentId)) return;
    await takeMessage(message, options.app, probe, deps);
    if (persistentId !== undefined)
      keep({ ...state, receivedIds: [...withReceivedId(state.receivedIds, persistentId)] });
  };
  const connectOnce = async (onLogin: () => void) => {
    connection = new AbortController();
    const identity = await becomeDevice();
    if (!identity) return;
    const end = await runMcsSession(
      {
        server: options.servers.mcs,
        identity,
        receivedIds: state.receivedIds,
        timings: options.timings ?? MCS_CLIENT_TIMINGS,
      },
      {
        onLogin: () => {
          connected = true;
          onLogin();
          deps.onSubscription(probe);
        },
        onData: take,
      },
      {
        log: deps.log,
        now: () => performance.now(),
        ca: options.ca,
        signal: AbortSignal.any([stop.signal, connection.signal]),
      },
    );
    connected = false;
    if (end === 'login-refused') forget();
  };
  const run = async () => {
    for (let failures = 1; !stop.signal.aborted; failures++) {
      try {
        await connectOnce(() => {
          failures = 1;
        });
      } catch (error) {
        deps.log.debug(errorFields(error), 'FCM device side cannot be reached');
      }
      const pauseMs = backoffMs(failures, options.reconnect ?? RECONNECT, deps.random());
      await sleep(pauseMs, stop.signal);
    }
  };
  const running = run();

  const probe: Probe = {
    name: options.name,
    transport: 'fcm',
    deviceId: state.deviceId,
    subscription: () => {
      const address = token();
      if (address === undefined) return undefined;
      return probeSubscription(state.deviceId, { transport: 'fcm', token: address });
    },
    connected: () => connected,
    renew: () => {
      forget();
      connection.abort();
    },
    close: async () => {
      stop.abort();
      await running;
    },
  };
  return probe;
}

/** Other words give another one; the words themselves cannot be read from it. */
function fingerprint(words: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(words)).digest('base64url');
}

/** Hands on what our sender sent to our app; anything else on the stream is not for us. */
async function takeMessage(
  { from, category, appData, rawData }: DataMessage,
  app: FcmApp,
  probe: Probe,
  deps: FcmMcsProbeDeps,
): Promise<void> {
  const isOurs = from === app.senderId && category === app.packageName;
  const payload = Object.fromEntries(
    Object.entries(appData).filter(([word]) => !GOOGLES_WORD.test(word)),
  );
  if (!isOurs || Object.keys(payload).length === 0) {
    if (isOurs && rawData !== undefined) deps.onUndecryptable(probe);
    deps.log.warn({ type: appData['message_type'] }, 'FCM sent what is no alert of ours');
    return;
  }
  await deps.onPayload(probe, payload);
}
