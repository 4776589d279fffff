import type { Severity } from '../../shared/alert/cap-values.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';

const WEIGHTS: Record<Severity, number> = {
  Extreme: 16,
  Severe: 8,
  Moderate: 4,
  Minor: 2,
  Unknown: 1,
};

/** The highest of its infos'. */
export function severityOf(envelope: Envelope): Severity {
  const severities = envelope.alert.info.map(({ severity }) => severity);
  return severities.reduce((a, b) => (WEIGHTS[b] > WEIGHTS[a] ? b : a), 'Unknown');
}

/** Turns of an alert relative to others. */
export function weightOf(envelope: Envelope): number {
  return WEIGHTS[severityOf(envelope)];
}
