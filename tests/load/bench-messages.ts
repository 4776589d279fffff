import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OutgoingMessage } from '../../services/dispatcher/transports/transport.ts';
import { Alert } from '../../shared/alert/alert.ts';
import { fillPlaceholders } from '../../shared/alert/placeholders.ts';
import { encodePushPayload } from '../../shared/envelope/push-payload.ts';
import { createSigningKey, signedDeviceMessage } from '../support/signed-alerts.ts';

const EXAMPLE = join(import.meta.dirname, '../../deploy/examples/nice-alert.json');
const VIA = 'a';
export const TTL_MS = 3_600_000;

/** Clear text of a push message, in bytes, of the short contest. */
export const SHORT_BYTES = 300;

/** `short`: a message whose push payload is 300 bytes. `real`: what a device gets of deploy/examples/nice-alert.json. */
export type Payload = 'short' | 'real';

/** A message as the dispatcher hands it to its transports. */
export async function benchMessage(payload: Payload): Promise<OutgoingMessage> {
  return {
    alertId: randomBytes(16).toString('hex'),
    signedMessage: payload === 'short' ? shortMessage() : await signedExample(),
    via: VIA,
    title: 'ALERTE — Préfecture des Alpes-Maritimes',
    body: 'Attentat à Nice, sur la Promenade des Anglais. Mettez-vous à l’abri.',
    msgType: 'Alert',
    tag: 'bench',
    expiresAtMs: Date.now() + 4 * TTL_MS,
    quiet: false,
  };
}

/** The clear text that Web Push encrypts. */
export function clearTextOf({ signedMessage, via }: OutgoingMessage): Buffer {
  return Buffer.from(encodePushPayload({ alert: signedMessage, via }));
}

function shortMessage(): string {
  const room = SHORT_BYTES - encodePushPayload({ alert: '', via: VIA }).length;
  return randomBytes(room).toString('base64url').slice(0, room);
}

/** The example as ingest would sign it for a device. */
function signedExample(): Promise<string> {
  const facts = { nowMs: Date.now(), offsetMinutes: 120, random: 'bench' };
  const alert = Alert.parse(fillPlaceholders(JSON.parse(readFileSync(EXAMPLE, 'utf8')), facts));
  return signedDeviceMessage(alert, createSigningKey('public'));
}
