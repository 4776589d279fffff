import { expect, test } from '@jest/globals';
import { layoutOf, portsOf, providersOrigin, urlOf } from './layout.ts';

const layout = layoutOf({ sites: 3, portBase: 8400, stateDir: '/s' });

test('ports are those of docs/interfaces.md', () => {
  expect(layout.sites[0]?.ports).toEqual({
    ingest: 8401,
    dispatcher: 8402,
    canary: 8403,
    edge: 8404,
    nats: 8405,
    natsMonitor: 8406,
  });
  expect(layout.sites[2]?.ports.dispatcher).toBe(8422);
  expect(layout.sandbox).toEqual({
    mcs: 8489,
    unifiedPush: 8490,
    providers: 8491,
    receivers: 8492,
    control: 8493,
  });
  expect(layout.controlPort).toBe(8499);
});

test('no port is used twice', () => {
  const ports = portsOf(layout).map(({ port }) => port);
  expect(new Set(ports).size).toBe(ports.length);
  expect(ports).toHaveLength(3 * 6 + 6);
});

test('services are called by address, the providers by the name in their certificate', () => {
  const [site] = layout.sites;
  expect(site && urlOf(site, 'edge')).toBe('http://127.0.0.1:8404');
  expect(providersOrigin(layout)).toBe('https://localhost:8491');
});
