import { CANARY_AREA } from './area.ts';
import type { Status } from './cap-values.ts';

/** Who may be shown an alert: people, or the canary's probes. It stands under the signature. */
export type Audience = 'public' | 'canary';
export const AUDIENCES = ['public', 'canary'] as const;

interface AudienceFacts {
  readonly status?: Status | undefined;
  readonly scope?: string | undefined;
  readonly addresses?: string | undefined;
}

export interface AudienceProblem {
  readonly field: string;
  readonly message: string;
}

/** Actual and Exercise are for people; Test is the canary's. System and Draft are nobody's to send. */
export function audienceOfStatus(status: Status): Audience | undefined {
  if (status === 'Actual' || status === 'Exercise') return 'public';
  if (status === 'Test') return 'canary';
  return undefined;
}

/**
 * The two-way rule that keeps a test from people and a real alert from going to probes alone (P6): reserved area,
 * `status=Test` and `scope=Private` with addresses go together, all or none. It is checked at ingest, in the
 * dispatcher and on the device.
 */
export function audienceProblems(
  alert: AudienceFacts,
  areaCodes: readonly string[],
): AudienceProblem[] {
  const problems: AudienceProblem[] = [];
  if (alert.status === undefined) return problems;
  const audience = audienceOfStatus(alert.status);
  if (audience === undefined) {
    return [
      {
        field: 'status',
        message: `${alert.status} is not sent: use Actual, Exercise or (canary only) Test`,
      },
    ];
  }
  const reserved = areaCodes.filter((code) => code === CANARY_AREA).length;
  if (audience === 'canary') {
    if (alert.scope !== undefined && alert.scope !== 'Private')
      problems.push({
        field: 'scope',
        message: 'a Test has scope Private: it may not reach the public',
      });
    if (!alert.addresses)
      problems.push({ field: 'addresses', message: 'a Test names the probes it is for' });
    if (reserved !== areaCodes.length)
      problems.push({
        field: 'info',
        message: `a Test may only name the reserved area ${CANARY_AREA}`,
      });
  } else {
    if (alert.scope !== undefined && alert.scope !== 'Public')
      problems.push({ field: 'scope', message: `${alert.status} has scope Public` });
    if (alert.addresses)
      problems.push({
        field: 'addresses',
        message: `${alert.status} goes to everybody in the area: leave addresses out`,
      });
    if (reserved > 0)
      problems.push({
        field: 'info',
        message: `the area ${CANARY_AREA} is reserved for the canary's tests`,
      });
  }
  return problems;
}
