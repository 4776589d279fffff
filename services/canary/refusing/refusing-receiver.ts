import { z } from 'zod';
import { AutopushClient } from '../../../shared/autopush/autopush-client.ts';
import type { Decision } from '../../../shared/device/decide.ts';
import { type DeviceSetup, receive } from '../../../shared/device/receive.ts';
import { encodePushPayload } from '../../../shared/envelope/push-payload.ts';
import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { createReceiverKeys } from '../../../shared/web-push/decrypt.ts';
import { openPush } from '../probes/open-push.ts';
import { AutopushState, stateFile } from '../probes/probe-state.ts';
import { createOwnVapidKeys, OwnVapidKeys, pushToSelf } from './push-to-self.ts';

const State = z.object({
  keys: AutopushState.shape.keys,
  vapid: OwnVapidKeys,
  identity: AutopushState.shape.identity,
});
type State = z.infer<typeof State>;

interface ReceiverOptions {
  readonly url: string;
  readonly dataDir: string;
  /** The node's name, as any sender would say it. */
  readonly via: string;
  /** RFC 8292: who sends, `mailto:…`. */
  readonly subject: string;
  /** A push that has not arrived by then has not arrived. */
  readonly limitMs: number;
}

interface ReceiverDeps {
  readonly log: Logger;
  readonly random: () => number;
  readonly wallNow: Clock;
  readonly signal: AbortSignal;
}

/** What a trial may do: push a signed message to the receiver and hear what the device made of it. */
export type Exchange = (jws: string, device: DeviceSetup) => Promise<Decision | undefined>;

/** A receiver that is in no registry: only the canary itself sends to it, and only what must be refused. */
export interface RefusingReceiver {
  /** Connects, runs the trials, leaves. False: no connection came about. */
  readonly open: (trials: (exchange: Exchange) => Promise<void>) => Promise<boolean>;
}

/**
 * The device that must say no. Its endpoint is bound to VAPID keys of its own, so that the canary can send to it by the
 * push service without the dispatchers' private key, and so that no real sender ever can.
 */
export function createRefusingReceiver(
  options: ReceiverOptions,
  deps: ReceiverDeps,
): RefusingReceiver {
  const file = stateFile<State>(options.dataDir, 'refusing-receiver', State);
  let state: State = file.read() ?? { keys: createReceiverKeys(), vapid: createOwnVapidKeys() };
  file.write(state);
  let arrived: (payload: unknown) => void = () => undefined;

  const exchange: Exchange = async (jws, device) => {
    const { identity, keys, vapid } = state;
    if (!identity) return undefined;
    const text = encodePushPayload({ alert: jws, via: options.via });
    const arrival = Promise.withResolvers<unknown>();
    arrived = (payload) => {
      // What is left over from an earlier trial is another message.
      if (JSON.stringify(payload) === text) arrival.resolve(payload);
    };
    const over = new AbortController();
    const signal = AbortSignal.any([deps.signal, over.signal]);
    const limit = sleep(options.limitMs, signal).then(() => undefined);
    try {
      const sender = { ...vapid, subject: options.subject, nowMs: deps.wallNow() };
      const taken = await pushToSelf(text, { endpoint: identity.endpoint, keys }, sender, signal);
      if (!taken) return undefined;
      const payload = await Promise.race([arrival.promise, limit]);
      return payload === undefined ? undefined : (await receive(payload, device)).decision;
    } catch (error) {
      deps.log.debug(errorFields(error), 'a trial could not be pushed');
      return undefined;
    } finally {
      over.abort();
    }
  };

  return {
    open: async (trials) => {
      const ready = Promise.withResolvers<boolean>();
      const client = new AutopushClient(
        {
          url: options.url,
          vapidPublicKey: state.vapid.publicKey,
          identity: state.identity,
        },
        {
          log: deps.log,
          random: deps.random,
          onIdentity: (identity) => {
            state = { ...state, identity };
            file.write(state);
            ready.resolve(true);
          },
          onMessage: async (body) => {
            const payload = openPush(body, state.keys);
            if (payload === undefined) return 'undecryptable';
            arrived(payload);
            return 'delivered';
          },
        },
      );
      try {
        const tooLong = sleep(options.limitMs, deps.signal).then(() => false);
        const isReady = await Promise.race([ready.promise, tooLong]);
        if (isReady) await trials(exchange);
        return isReady;
      } finally {
        await client.leave();
      }
    },
  };
}
