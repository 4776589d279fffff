import { z } from 'zod';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { connectFcmDevice } from './fcm-connection.ts';
import { keepConnected } from './keep-connected.ts';
import type { Probe, ProbeEvents } from './probe.ts';
import { FcmState, newDeviceId, probeSubscription, stateFile } from './probe-state.ts';

interface FcmProbeOptions {
  readonly name: string;
  /** The device side's WebSocket address; the token is added. */
  readonly url: string;
  /** Where an emulated device gets its token. */
  readonly tokensUrl: string;
  readonly dataDir: string;
}

interface FcmProbeDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
}

const TokenAnswer = z.object({ token: z.string().min(20).max(400) });

/**
 * An emulated FCM device. It proves everything up to the provider's device side; the page says that it is emulated. A
 * phone with Google's own services is another probe, to be written behind the same seam.
 */
export function startFcmProbe(options: FcmProbeOptions, deps: FcmProbeDeps): Probe {
  const file = stateFile(options.dataDir, 'probe-fcm', FcmState);
  let state: FcmState = file.read() ?? { deviceId: newDeviceId() };
  file.write(state);
  const setToken = (token: string | undefined) => {
    state = { deviceId: state.deviceId, ...(token === undefined ? {} : { token }) };
    file.write(state);
  };
  const connection = keepConnected(async (onOpen, signal) => {
    if (state.token === undefined) setToken(await fetchToken(options.tokensUrl, signal));
    const { token } = state;
    if (token === undefined) return;
    const end = await connectFcmDevice(
      options.url,
      token,
      {
        onOpen: () => {
          onOpen();
          deps.onSubscription(probe);
        },
        onData: (data) => deps.onPayload(probe, data),
      },
      signal,
    );
    if (end === 'token-refused') setToken(undefined);
  }, deps);

  const probe: Probe = {
    name: options.name,
    transport: 'fcm',
    deviceId: state.deviceId,
    subscription: () =>
      state.token === undefined
        ? undefined
        : probeSubscription(state.deviceId, { transport: 'fcm', token: state.token }),
    connected: connection.connected,
    renew: () => {
      setToken(undefined);
      connection.drop();
    },
    close: connection.close,
  };
  return probe;
}

async function fetchToken(url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetchJson(url, {
    method: 'POST',
    schema: TokenAnswer,
    timeoutMs: 3_000,
    signal,
  });
  return answer.token;
}
