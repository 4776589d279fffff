import type { Alert, Info } from '../../shared/alert/alert.ts';

/** The instant at which the samples are sent, and one minute is a good time to look at them. */
export const SAMPLE_SENT = '2026-07-14T22:31:07+02:00';
export const SAMPLE_SENT_MS = Date.parse(SAMPLE_SENT);

export function sampleInfo(changes: Partial<Info> = {}): Info {
  return {
    language: 'fr-FR',
    category: ['Safety'],
    event: 'Attentat',
    responseType: ['Shelter'],
    urgency: 'Immediate',
    severity: 'Extreme',
    certainty: 'Observed',
    expires: '2026-07-15T00:31:07+02:00',
    senderName: 'Préfecture des Alpes-Maritimes',
    headline: 'Attentat à Nice',
    description: 'Un attentat est en cours.',
    instruction: 'Enfermez-vous.',
    area: [{ areaDesc: 'Nice', geocode: [{ valueName: 'INSEE:COM', value: '06088' }] }],
    ...changes,
  };
}

/** A real alert for Nice that breaks no rule. */
export function sampleAlert(changes: Partial<Alert> = {}): Alert {
  return {
    identifier: 'nice-1',
    sender: 'pref06@alerte.example',
    sent: SAMPLE_SENT,
    status: 'Actual',
    msgType: 'Alert',
    scope: 'Public',
    info: [sampleInfo()],
    ...changes,
  };
}

/** A canary's round: status, scope, addresses and area all say so. */
export function sampleTest(changes: Partial<Alert> = {}): Alert {
  return sampleAlert({
    status: 'Test',
    scope: 'Private',
    addresses: 'probes',
    info: [
      sampleInfo({
        expires: '2026-07-14T22:33:07+02:00',
        area: [{ areaDesc: 'Essai', geocode: [{ valueName: 'TEST:ZONE', value: 'ZZ999' }] }],
      }),
    ],
    ...changes,
  });
}
