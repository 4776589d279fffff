import type { Alert } from './alert.ts';

/** How loud a device is: siren, loud, quiet, or labelled as no danger. */
export const LEVELS = ['extreme', 'severe', 'information', 'exercise', 'test'] as const;
export type Level = (typeof LEVELS)[number];

/** From CAP's urgency, severity and certainty of the first `info` (the languages agree) and the status. */
export function levelOf(alert: Alert): Level {
  if (alert.status === 'Test') return 'test';
  if (alert.status === 'Exercise') return 'exercise';
  const info = alert.info[0];
  if (!info) return 'information';
  const sure = info.certainty === 'Observed' || info.certainty === 'Likely';
  const soon = info.urgency === 'Immediate' || info.urgency === 'Expected';
  if (info.severity === 'Extreme' && info.urgency === 'Immediate' && sure) return 'extreme';
  if ((info.severity === 'Extreme' || info.severity === 'Severe') && soon && sure) return 'severe';
  return 'information';
}
