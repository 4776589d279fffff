import type { ArrivingAlert } from '../../services/dispatcher/arrival.ts';
import type { DeviceMessage } from '../../shared/envelope/device-message.ts';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { type AlertSpec, EPOCH_MS } from './scenario.ts';

/** What a signed envelope says, without the signature: cryptography is not simulated. */
export interface SimEnvelope extends ArrivingAlert {
  readonly shards: number;
  readonly areas: readonly number[];
  /** A canary's: the probes that it is for. */
  readonly probes: readonly string[];
  readonly message: DeviceMessage;
}

export function publicEnvelope(spec: AlertSpec, shards: number): SimEnvelope {
  const { id, msgType, references, areas, severity } = spec;
  const expiresAtMs = EPOCH_MS + spec.expiresAtMs;
  const message = deviceMessage({ id, msgType, references, expiresAtMs, severity });
  const head = { id, audience: 'public' as const, msgType, contentHash: id, expiresAtMs };
  return { ...head, references, shards, areas, probes: [], message };
}

export function canaryEnvelope(
  id: string,
  path: CanaryPath,
  probes: readonly string[],
  expiresAtMs: number,
): SimEnvelope {
  const facts = { id, msgType: 'Alert' as const, references: [], expiresAtMs };
  const message: DeviceMessage = {
    ...deviceMessage({ ...facts, severity: 'Extreme' }),
    audience: 'canary',
    status: 'Test',
    nonce: id,
  };
  return {
    ...facts,
    audience: 'canary',
    contentHash: id,
    path,
    shards: 1,
    areas: [],
    probes,
    message,
  };
}

function deviceMessage(facts: {
  id: string;
  msgType: AlertSpec['msgType'];
  references: readonly string[];
  expiresAtMs: number;
  severity: AlertSpec['severity'];
}): DeviceMessage {
  return {
    v: 1,
    id: facts.id,
    audience: 'public',
    status: 'Actual',
    msgType: facts.msgType,
    sent: '2026-07-14T22:00:00+02:00',
    expires: new Date(facts.expiresAtMs).toISOString(),
    references: [...facts.references],
    level: 'extreme',
    severity: facts.severity,
    language: 'fr-FR',
    senderName: 'Préfecture',
    event: 'Test',
    headline: '',
    description: '',
    areaDesc: '',
    contentHash: facts.id,
  };
}
