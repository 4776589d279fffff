import { z } from 'zod';
import type { Alert } from '../../../shared/alert/alert.ts';
import { STATUSES } from '../../../shared/alert/cap-values.ts';
import { type AlertProblem, checkAlert } from '../../../shared/alert/check-alert.ts';
import type { ApiKey } from '../keys/api-keys.ts';
import { authorizeAlert } from '../keys/authorize-alert.ts';
import { type CanaryRound, canaryRound } from './canary-path.ts';

export type ReadAlert =
  | { readonly ok: true; readonly alert: Alert; readonly round: CanaryRound | undefined }
  /** `authority`: the key may not send (some of) this, whatever else is wrong. */
  | { readonly ok: false; readonly authority: boolean; readonly problems: readonly AlertProblem[] };

const CodeFacts = z.object({
  status: z.enum(STATUSES),
  code: z.array(z.string()).optional().catch(undefined),
});

/**
 * The parse step: a JSON value → a checked and authorised alert, or everything that is wrong with it, content and
 * authority in one list. Pure. Another spelling of CAP needs its own reader in front of this and nothing else.
 */
export function readAlert(
  input: unknown,
  key: ApiKey,
  facts: { node: string; nowMs: number },
): ReadAlert {
  const checked = checkAlert(input, facts.nowMs);
  const authority = authorizeAlert(input, key);
  const codes = CodeFacts.safeParse(input);
  const canary = codes.success ? canaryRound(codes.data, facts.node) : undefined;
  if (checked.ok && canary?.ok && authority.length === 0)
    return { ok: true, alert: checked.alert, round: canary.round };
  const content = [
    ...(checked.ok ? [] : checked.problems),
    ...(canary && !canary.ok ? canary.problems : []),
  ];
  return { ok: false, authority: authority.length > 0, problems: [...authority, ...content] };
}
