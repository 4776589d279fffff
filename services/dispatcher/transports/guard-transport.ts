import { OpenCalls } from './open-calls.ts';
import { outcomeOfFailure } from './outcome.ts';
import { type Outcome, SEND_DEADLINE_MS, type Transport } from './transport.ts';
import { sendEnded, type TransportEventDeps } from './transport-metrics.ts';

const OVERLOADED = outcomeOfFailure('overloaded');
const ABORTED = outcomeOfFailure('aborted');
const TIMEOUT = outcomeOfFailure('timeout');

/**
 * What every transport promises, kept in one place whatever is inside: at most `maxInFlight` sends, one outcome by the
 * deadline, `aborted` at once, every outcome counted.
 */
export function guardTransport<Address>(
  inner: Transport<Address>,
  deps: TransportEventDeps,
): Transport<Address> {
  const { kind, maxInFlight } = inner;
  const open: OpenCalls<Outcome> = new OpenCalls({
    deadlineMs: SEND_DEADLINE_MS,
    onDeadline: TIMEOUT,
    onAbort: ABORTED,
    onEach: (outcome, call) => sendEnded(deps, kind, outcome, open.ageMs(call) / 1000),
  });
  deps.metrics.watchInFlight(kind, () => open.size);
  const turnAway = (outcome: Outcome, settle: (outcome: Outcome) => void) => {
    sendEnded(deps, kind, outcome, 0);
    settle(outcome);
  };
  return {
    kind,
    maxInFlight,
    warmUp: () => inner.warmUp(),
    keepWarm: (addresses) => inner.keepWarm?.(addresses),
    close: () => inner.close(),
    send: (address, message, signal, settle) => {
      if (signal.aborted) {
        turnAway(ABORTED, settle);
        return;
      }
      if (open.size >= maxInFlight) {
        turnAway(OVERLOADED, settle);
        return;
      }
      const call = open.begin(signal, settle);
      inner.send(address, message, signal, (outcome) => call.settle(outcome));
    },
  };
}
