import type { ShownAlert } from '../alerts/alert-state.ts';

/** Body of `GET /v1/alerts/recent`: the last public alerts, newest first, with the state that each is in now. */
export function recentJson(alerts: readonly ShownAlert[]): string {
  return JSON.stringify({
    v: 1,
    alerts: alerts.map(({ envelope, state }) => ({
      id: envelope.id,
      state,
      expiresAt: envelope.expiresAt,
      areaCodes: envelope.areaCodes,
      references: envelope.references,
      contentHash: envelope.contentHash,
      alert: envelope.alert,
    })),
  });
}
