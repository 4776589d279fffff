import { z } from 'zod';
import { withinTerritory } from '../../../shared/alert/area.ts';
import { SEVERITIES, type Severity } from '../../../shared/alert/cap-values.ts';
import type { AlertProblem } from '../../../shared/alert/check-alert.ts';
import { parseReferences } from '../../../shared/alert/references.ts';
import type { ApiKey } from './api-keys.ts';

/** What authority is judged by, taken from whatever came in: a part of the wrong type is absent, not an error. */
const absent = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);
const AuthorityFacts = z.object({
  sender: absent(z.string()),
  status: absent(z.string()),
  references: absent(z.string()),
  info: absent(
    z.array(
      z
        .object({
          severity: absent(z.enum(SEVERITIES)),
          area: absent(
            z.array(
              z
                .object({
                  geocode: absent(z.array(z.object({ value: absent(z.string()) }).catch({}))),
                })
                .catch({}),
            ),
          ),
        })
        .catch({}),
    ),
  ),
});
type AuthorityFacts = z.infer<typeof AuthorityFacts>;

/** Most severe first, as CAP orders them; Unknown is the least that a key may be limited to. */
const rank = (severity: Severity) => SEVERITIES.indexOf(severity);

/**
 * Everything in a message that its sender's key has no authority for, all at once. It also judges a message whose shape
 * is wrong, so that one answer lists both kinds of problems. Pure.
 */
export function authorizeAlert(input: unknown, key: ApiKey): AlertProblem[] {
  const parsed = AuthorityFacts.safeParse(input);
  if (!parsed.success) return [];
  const alert = parsed.data;
  return [
    ...senderProblems(alert, key),
    ...infoProblems(alert, key),
    ...referenceProblems(alert, key),
  ];
}

function senderProblems(alert: AuthorityFacts, key: ApiKey): AlertProblem[] {
  const problems: AlertProblem[] = [];
  if (alert.sender !== undefined && alert.sender !== key.sender)
    problems.push({ field: 'sender', message: `this key speaks for ${key.sender} only` });
  if (alert.status !== undefined && !key.statuses.some((status) => status === alert.status))
    problems.push({
      field: 'status',
      message: `this key may send ${key.statuses.join(' and ')} only`,
    });
  return problems;
}

function infoProblems(alert: AuthorityFacts, key: ApiKey): AlertProblem[] {
  return (alert.info ?? []).flatMap((info, i) => {
    const problems: AlertProblem[] = [];
    if (info.severity !== undefined && rank(info.severity) < rank(key.maxSeverity))
      problems.push({
        field: `info[${i}].severity`,
        message: `this key may send up to ${key.maxSeverity}`,
      });
    (info.area ?? []).forEach((area, j) => {
      const codes = (area.geocode ?? []).flatMap(({ value }) =>
        value === undefined ? [] : [value],
      );
      const outside = codes.filter((code) => !withinTerritory([code], key.territory));
      if (outside.length > 0)
        problems.push({
          field: `info[${i}].area[${j}].geocode`,
          message: `outside the territory of this key: ${listed(outside)}`,
        });
    });
    return problems;
  });
}

/** Who sent an alert updates and cancels it: another's message is not theirs to take back. */
function referenceProblems(alert: AuthorityFacts, key: ApiKey): AlertProblem[] {
  const { references } = parseReferences(alert.references ?? '');
  const foreign = references.filter(({ sender }) => sender !== key.sender);
  if (foreign.length === 0) return [];
  const senders = [...new Set(foreign.map(({ sender }) => sender))];
  return [
    {
      field: 'references',
      message: `only the sender of an alert may update or cancel it: ${listed(senders)}`,
    },
  ];
}

function listed(items: readonly string[]): string {
  const shown = items.slice(0, 10).map((item) => item.slice(0, 40));
  return `${shown.join(', ')}${items.length > shown.length ? ` and ${items.length - shown.length} more` : ''}`;
}
