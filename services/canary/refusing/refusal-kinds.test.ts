import { expect, test } from '@jest/globals';
import type { Decision } from '../../../shared/device/decide.ts';
import {
  acceptedAudiences,
  REFUSAL_KINDS,
  type RefusalKind,
  trialResult,
} from './refusal-kinds.ts';

const shown: Decision = { action: 'shown', tag: 't' };
const replaced: Decision = { action: 'replaced', tag: 't' };
const takenDown: Decision = { action: 'taken-down', tags: [] };
const seen: Decision = { action: 'ignored', reason: 'seen' };
const refused = (reason: 'malformed' | 'unsigned' | 'wrong-audience' | 'expired'): Decision => ({
  action: 'refused',
  reason,
});

test.each<[RefusalKind, (Decision | undefined)[], string]>([
  ['forged', [refused('unsigned')], 'refused'],
  ['forged', [shown], 'accepted'],
  ['forged', [replaced], 'accepted'],
  ['forged', [takenDown], 'accepted'],
  ['forged', [refused('malformed')], 'unclear'],
  ['forged', [refused('expired')], 'unclear'],
  ['forged', [undefined], 'unclear'],
  ['forged', [], 'unclear'],
  ['expired', [refused('expired')], 'refused'],
  ['expired', [refused('unsigned')], 'unclear'],
  ['expired', [shown], 'accepted'],
  ['replayed', [shown, seen], 'refused'],
  ['replayed', [shown, shown], 'accepted'],
  ['replayed', [shown, undefined], 'unclear'],
  ['replayed', [undefined, shown], 'unclear'],
  ['replayed', [refused('unsigned'), refused('unsigned')], 'unclear'],
  ['replayed', [shown, refused('expired')], 'unclear'],
  ['wrong-audience', [refused('wrong-audience')], 'refused'],
  ['wrong-audience', [shown], 'accepted'],
  ['wrong-audience', [seen], 'unclear'],
])('P8: %s with %j is %s', (kind, decisions, result) => {
  expect(trialResult(kind, decisions)).toBe(result);
});

test('P6: only the wrong audience is tried on a device of the public', () => {
  expect(REFUSAL_KINDS.map((kind) => acceptedAudiences(kind).includes('canary'))).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
