import { expect, test } from '@jest/globals';
import { natsServerConfig, PERMISSIONS } from './server-config.ts';

const settings = {
  serverName: 'tocsin-a',
  host: '127.0.0.1',
  port: 8405,
  monitorPort: 8406,
  storeDir: '/state with "quotes"/nats',
  passwords: { ingest: 'i', dispatcher: 'd', edge: 'e', canary: 'c' },
};

test('P1: every write is synced unless a test says otherwise', () => {
  expect(natsServerConfig(settings)).toContain('sync_interval: always');
  expect(natsServerConfig({ ...settings, syncAlways: false })).not.toContain('sync_interval');
});

test('paths and passwords are quoted', () => {
  expect(natsServerConfig(settings)).toContain('store_dir: "/state with \\"quotes\\"/nats"');
});

test('P6: only ingest may publish alerts, a dispatcher puts public ones back, and the canary may publish nothing but proofs', () => {
  const alertSubjects = Object.entries(PERMISSIONS).flatMap(([user, { publish }]) =>
    publish
      .filter((subject) => subject === '>' || subject.startsWith('alert'))
      .map((subject) => `${user} ${subject}`),
  );
  expect(alertSubjects).toEqual(['ingest alert.>', 'dispatcher alert.public.>']);
  expect(PERMISSIONS.canary.publish).toEqual(['proof.>']);
});
