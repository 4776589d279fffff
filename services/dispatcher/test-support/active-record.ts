import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';

/** What may differ from a person in Nice who has the app. */
export interface RecordFacts {
  readonly version?: number;
  readonly areas?: string[];
  readonly probe?: boolean;
  readonly webPush?: boolean;
  readonly language?: string;
}

/** A device id of the usual length that ends in this. */
export function testId(i: number | string): string {
  return `device-${String(i).padStart(15, '0')}`;
}

/** A subscribed device as the registry's streams tell of it. */
export function activeRecord(deviceId: string, facts: RecordFacts = {}): RegistryRecord {
  const keys = { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) };
  const { version = 1 } = facts;
  return {
    v: 1,
    state: 'active',
    version,
    probe: facts.probe ?? false,
    lastHeardAt: '2026-07-14T20:00:00Z',
    subscription: {
      deviceId,
      address: facts.webPush
        ? { transport: 'web-push', endpoint: 'https://push.example/x', keys }
        : { transport: 'fcm', token: `token-of-${deviceId}-v${version}` },
      areaCodes: facts.areas ?? ['06088'],
      language: facts.language ?? 'fr-FR',
      appVersion: '1',
    },
  };
}
