import { CONNECTION_RETRY_MS, unavailable } from './outcome.ts';
import { type Outcome, SEND_DEADLINE_MS, type Transport } from './transport.ts';
import { sendEnded, type TransportEventDeps } from './transport-metrics.ts';

/**
 * What every transport promises, kept in one place whatever is inside: at most `maxInFlight` sends, an outcome by the
 * deadline, `aborted` at once, every outcome counted.
 */
export function guardTransport<Address>(
  inner: Transport<Address>,
  deps: TransportEventDeps,
): Transport<Address> {
  const { kind } = inner;
  let inFlight = 0;
  return {
    kind,
    maxInFlight: inner.maxInFlight,
    warmUp: () => inner.warmUp(),
    close: () => inner.close(),
    send: async (address, message, signal) => {
      const startedAtMs = performance.now();
      let outcome: Outcome;
      if (inFlight >= inner.maxInFlight) outcome = unavailable('overloaded', CONNECTION_RETRY_MS);
      else {
        inFlight++;
        deps.metrics.inFlight.inc({ transport: kind });
        try {
          outcome = await settleInTime(inner.send(address, message, signal), signal);
        } finally {
          inFlight--;
          deps.metrics.inFlight.dec({ transport: kind });
        }
      }
      const seconds = (performance.now() - startedAtMs) / 1000;
      sendEnded(deps, { transport: kind, outcome, seconds });
      return outcome;
    },
  };
}

async function settleInTime(sending: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const { promise: over, resolve } = Promise.withResolvers<Outcome>();
  const onAbort = () => resolve(unavailable('aborted', CONNECTION_RETRY_MS));
  const timer = setTimeout(
    () => resolve(unavailable('timeout', CONNECTION_RETRY_MS)),
    SEND_DEADLINE_MS,
  );
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([over, sending]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
