import { AutopushClient } from '../../../shared/autopush/autopush-client.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { openPush } from '../probes/open-push.ts';
import type { Probe, ProbeEvents } from '../probes/probe.ts';
import {
  AutopushState,
  autopushStateFor,
  probeSubscription,
  stateFile,
} from '../probes/probe-state.ts';

interface StoredProbeOptions {
  readonly name: string;
  readonly url: string;
  readonly vapidPublicKey: string;
  readonly dataDir: string;
}

interface StoredProbeDeps extends ProbeEvents {
  readonly log: Logger;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** A Web Push receiver that is off most of the time, as a phone is at night. */
export interface StoredProbe extends Probe {
  /**
   * Switches it on: takes what the push service has kept, acknowledges it, and switches it off again once nothing has
   * come for `quietMs`, or after `limitMs`. False: no connection came about in that time.
   */
  readonly visit: (limits: {
    readonly quietMs: number;
    readonly limitMs: number;
  }) => Promise<boolean>;
}

const LOOK_MS = 25;

/** An autopush receiver that connects only when it is told to. One visit at a time. */
export function createStoredProbe(options: StoredProbeOptions, deps: StoredProbeDeps): StoredProbe {
  const file = stateFile(options.dataDir, 'probe-stored', AutopushState);
  let state = autopushStateFor(file.read(), options.vapidPublicKey);
  file.write(state);
  let client: AutopushClient | undefined;
  let lastEventMs = 0;

  const connect = (onReady: () => void) =>
    new AutopushClient(
      { url: options.url, vapidPublicKey: options.vapidPublicKey, identity: state.identity },
      {
        log: deps.log,
        random: deps.random,
        onIdentity: (identity) => {
          const isNew = state.identity?.endpoint !== identity.endpoint;
          state = { ...state, identity };
          file.write(state);
          onReady();
          if (isNew) deps.onSubscription(probe);
        },
        onMessage: async (body) => {
          lastEventMs = performance.now();
          const payload = openPush(body, state.keys);
          if (payload === undefined) {
            deps.onUndecryptable(probe);
            return 'undecryptable';
          }
          await deps.onPayload(probe, payload);
          return 'delivered';
        },
      },
    );

  const visit: StoredProbe['visit'] = async ({ quietMs, limitMs }) => {
    const startedMs = performance.now();
    let isReady = false;
    client = connect(() => {
      isReady = true;
      lastEventMs = performance.now();
    });
    const isOver = () => {
      const nowMs = performance.now();
      return nowMs - startedMs >= limitMs || (isReady && nowMs - lastEventMs >= quietMs);
    };
    while (!isOver() && (await sleep(LOOK_MS, deps.signal)));
    await client.leave();
    client = undefined;
    return isReady;
  };

  const probe: StoredProbe = {
    name: options.name,
    transport: 'web-push',
    deviceId: state.deviceId,
    subscription: () => {
      const { keys, identity } = state;
      if (!identity) return undefined;
      return probeSubscription(state.deviceId, {
        transport: 'web-push',
        endpoint: identity.endpoint,
        keys: { p256dh: keys.publicKey, auth: keys.auth },
      });
    },
    connected: () => client?.connected ?? false,
    renew: () => {
      const { identity: _lost, ...kept } = state;
      state = kept;
      file.write(state);
    },
    close: async () => {
      await client?.close();
    },
    visit,
  };
  return probe;
}
