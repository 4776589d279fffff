import { OriginLimits } from '../../../services/dispatcher/pacing/origin-limits.ts';
import { guardTransport } from '../../../services/dispatcher/transports/guard-transport.ts';
import type { PostClientChoice } from '../../../services/dispatcher/transports/http2-client.ts';
import { buildOriginPools } from '../../../services/dispatcher/transports/web-push/build.ts';
import type { PushEncryptor } from '../../../services/dispatcher/transports/web-push/prepared/push-encryptor.ts';
import { createFreshEncryptor } from '../../../services/dispatcher/transports/web-push/seal-fresh.ts';
import { createVapidHeaders } from '../../../services/dispatcher/transports/web-push/vapid.ts';
import { createWebPushTransport } from '../../../services/dispatcher/transports/web-push/web-push-transport.ts';
import type { WebPushAddress } from '../../../shared/subscription/subscription.ts';
import { systemClock } from '../../../shared/time/clock.ts';
import { oncePerTurn } from '../../../shared/time/once-per-turn.ts';
import { benchMessage, type Payload } from '../bench-messages.ts';
import type { Contender, Target } from '../contest/contender.ts';
import { sendAll, untilOpen } from '../contest/send-all.ts';
import { transportDeps } from '../contest/transport-deps.ts';
import { type BenchDevice, createDevices, createVapidKeys } from './bench-devices.ts';
import { createPreparedDevices } from './prepared-devices.ts';

const SESSIONS = 4;
/** What sink and nghttpd allow on one session. */
const STREAMS = 100;
/** What the connections carry: more would wait in the sender, which costs it a few µs each (decision 0009). */
const IN_FLIGHT = SESSIONS * STREAMS;
/** More than the messages of a turn. */
const DEVICES = 60_000;

/** Our transport as the dispatcher uses it, with a record prepared for each subscription. */
export async function ownWebPush(
  target: Target,
  choice: PostClientChoice,
  payload: Payload,
  path?: string,
): Promise<Contender> {
  const origin = originOf(target);
  const prepared = createPreparedDevices(origin, DEVICES);
  const send = await openSender(target, choice, payload, prepared.encryptor);
  const addresses = prepared.devices.map((device) => addressOf(device, origin, path));
  return {
    prepare: async (messages) => prepared.prepare(messages),
    run: async (messages) => {
      await send.all(addresses, messages);
      prepared.checkAllPrepared();
      return undefined;
    },
    close: send.close,
  };
}

/** The same, encrypting at alert time because nothing was prepared. */
export async function ownWebPushFresh(
  target: Target,
  choice: PostClientChoice,
  payload: Payload,
): Promise<Contender> {
  const origin = originOf(target);
  const send = await openSender(target, choice, payload, createFreshEncryptor());
  const addresses = createDevices(origin).map((device) => addressOf(device, origin));
  return {
    run: async (messages) => {
      await send.all(addresses, messages);
      return undefined;
    },
    close: send.close,
  };
}

function originOf({ port }: Target): string {
  return `https://localhost:${port}`;
}

/** With `path` all endpoints have that path, and what tells them apart stands in the query. */
function addressOf({ endpoint, keys }: BenchDevice, origin: string, path?: string): WebPushAddress {
  const apart = endpoint.slice(endpoint.lastIndexOf('/') + 1);
  return {
    transport: 'web-push',
    endpoint: path === undefined ? endpoint : `${origin}${path}?${apart}`,
    keys,
  };
}

async function openSender(
  target: Target,
  choice: PostClientChoice,
  payload: Payload,
  encryptor: PushEncryptor,
): Promise<{
  all: (addresses: readonly WebPushAddress[], count: number) => Promise<void>;
  close: () => Promise<void>;
}> {
  const deps = transportDeps();
  const origin = originOf(target);
  const clock = oncePerTurn(systemClock);
  const pools = buildOriginPools(
    {
      HTTP2_CLIENT: choice,
      WEB_PUSH_SESSIONS: SESSIONS,
      WEB_PUSH_SOCKETS: 100,
      WEB_PUSH_IN_FLIGHT: IN_FLIGHT,
    },
    deps,
    new OriginLimits({ most: IN_FLIGHT, random: Math.random }),
    { ca: target.certPem },
  );
  const transport = guardTransport(
    createWebPushTransport(
      { extraOrigins: [origin], maxInFlight: IN_FLIGHT },
      {
        pools,
        vapidHeader: createVapidHeaders(createVapidKeys(), { clock }),
        encryptor,
        clock,
      },
    ),
    deps,
  );
  const client = pools.at(origin);
  if (client) await untilOpen(client, SESSIONS * STREAMS);
  const message = await benchMessage(payload);
  return {
    all: (addresses, count) => {
      const [first] = addresses;
      if (!first) throw new Error('no devices');
      const addressAt = (i: number) => addresses[i % addresses.length] ?? first;
      return sendAll(transport, message, addressAt, count);
    },
    close: () => transport.close(),
  };
}
