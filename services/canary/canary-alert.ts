import type { Alert } from '../../shared/alert/alert.ts';
import { CANARY_AREA, CANARY_GEOCODE } from '../../shared/alert/area.ts';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { pathName } from './paths.ts';

/** A canary lives this long: longer than the limit, so that a late one is still seen, and too short to linger. */
export const CANARY_LIFE_SECONDS = 90;

interface CanaryAlertFacts {
  readonly path: CanaryPath;
  readonly nonce: string;
  readonly sender: string;
  /** Unique: two rounds must never be one alert. */
  readonly identifier: string;
  /** The probes that it is for, by device id. */
  readonly addresses: readonly string[];
  readonly nowMs: number;
}

/**
 * The test message of one round: a CAP alert like any other but for its status, its reserved area and its recipients.
 * Its words are harmless should it ever leak.
 */
export function canaryAlert(facts: CanaryAlertFacts): Alert {
  return {
    identifier: facts.identifier,
    sender: facts.sender,
    sent: capDateTime(facts.nowMs),
    status: 'Test',
    msgType: 'Alert',
    scope: 'Private',
    addresses: facts.addresses.join(' '),
    code: [`tocsin-path:${pathName(facts.path)}`, `tocsin-nonce:${facts.nonce}`],
    note: 'Synthetic end-to-end canary',
    info: [
      {
        language: 'fr-FR',
        category: ['Other'],
        event: 'Essai technique',
        responseType: ['None'],
        urgency: 'Unknown',
        severity: 'Unknown',
        certainty: 'Unknown',
        expires: capDateTime(facts.nowMs + CANARY_LIFE_SECONDS * 1000),
        senderName: 'Tocsin',
        headline: 'ESSAI technique, aucun danger',
        description: 'Message de contrôle automatique de la chaîne de diffusion.',
        instruction: 'Ne rien faire.',
        area: [
          {
            areaDesc: 'Zone réservée aux essais',
            geocode: [{ valueName: CANARY_GEOCODE, value: CANARY_AREA }],
          },
        ],
      },
    ],
  };
}

/** CAP writes instants with an offset and without fractions of a second (CAP 1.2 section 3.3.2). */
function capDateTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}
