import type { Decision } from '../../../shared/device/decide.ts';
import { createInMemoryStore } from '../../../shared/device/in-memory-store.ts';
import type { DeviceSetup } from '../../../shared/device/receive.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { forge } from './forge.ts';
import type { GenuineMessages } from './genuine-messages.ts';
import {
  acceptedAudiences,
  REFUSAL_KINDS,
  type RefusalKind,
  type TrialResult,
  trialResult,
} from './refusal-kinds.ts';
import type { Exchange } from './refusing-receiver.ts';

interface TrialDeps {
  readonly genuine: GenuineMessages;
  readonly verify: Verify;
  readonly wallNow: Clock;
  readonly onResult: (kind: RefusalKind, result: TrialResult) => void;
}

/** One trial of each kind, one after the other. */
export async function runTrials(exchange: Exchange, deps: TrialDeps): Promise<void> {
  for (const kind of REFUSAL_KINDS) {
    const messages = await messagesFor(kind, deps.genuine);
    // A device of its own for each trial: what one remembers must not help another.
    const device: DeviceSetup = {
      verify: deps.verify,
      accepts: acceptedAudiences(kind),
      store: createInMemoryStore(),
      now: deps.wallNow,
    };
    const decisions: (Decision | undefined)[] = [];
    for (const message of messages) decisions.push(await exchange(message, device));
    deps.onResult(kind, trialResult(kind, decisions));
  }
}

/**
 * What is pushed. All of it is made of messages of the canary's own rounds: private, harmless, in the reserved area. The
 * canary has no key to sign others with, and needs none.
 */
async function messagesFor(kind: RefusalKind, genuine: GenuineMessages): Promise<string[]> {
  const message = kind === 'expired' ? genuine.expired() : genuine.fresh();
  if (message === undefined) return [];
  if (kind === 'forged') return [await forge(message)];
  return kind === 'replayed' ? [message, message] : [message];
}
