import type { Audience } from '../../../shared/alert/audience.ts';
import type { Decision } from '../../../shared/device/decide.ts';

/** What a device must refuse: the words of metrics and page. */
export const REFUSAL_KINDS = ['forged', 'expired', 'replayed', 'wrong-audience'] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

/**
 * How a trial ended. `accepted`: the device would have shown it. `unclear`: it did not arrive, or was refused for
 * another reason than the one under trial: that proves nothing.
 */
export const TRIAL_RESULTS = ['refused', 'accepted', 'unclear'] as const;
export type TrialResult = (typeof TRIAL_RESULTS)[number];

/** Whom the device under trial listens to: a person's phone is what a canary's message must not reach. */
export function acceptedAudiences(kind: RefusalKind): readonly Audience[] {
  return kind === 'wrong-audience' ? ['public'] : ['canary', 'public'];
}

/**
 * What the device's decisions on the pushes of one trial say, pure. Undefined stands for a push that did not arrive. A
 * replay has two pushes, and the first has to be shown: a receiver that refuses everything proves nothing.
 */
export function trialResult(
  kind: RefusalKind,
  decisions: readonly (Decision | undefined)[],
): TrialResult {
  if (kind !== 'replayed') return resultOf(decisions[0], kind);
  return decisions[0]?.action === 'shown' ? resultOf(decisions[1], kind) : 'unclear';
}

function resultOf(decision: Decision | undefined, kind: RefusalKind): TrialResult {
  if (!decision) return 'unclear';
  const { action } = decision;
  if (action === 'shown' || action === 'replaced' || action === 'taken-down') return 'accepted';
  return decision.reason === EXPECTED[kind] ? 'refused' : 'unclear';
}

const EXPECTED: Readonly<Record<RefusalKind, string>> = {
  forged: 'unsigned',
  expired: 'expired',
  replayed: 'seen',
  'wrong-audience': 'wrong-audience',
};
