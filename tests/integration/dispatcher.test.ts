import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { positionOf } from '../../services/sandbox/faults.ts';
import { tokenOfEndpointPath } from '../../services/sandbox/web-push-endpoint.ts';
import { alertSubject, registrySubject } from '../../shared/bus/subjects.ts';
import { TRANSPORTS } from '../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../shared/http/fetch-json.ts';
import { AudienceAnswer, DispatchProgress, IntakeAnswer } from '../../shared/receipt/progress.ts';
import type { ActiveRecord } from '../../shared/subscription/registry-record.ts';
import { Subscription } from '../../shared/subscription/subscription.ts';
import {
  aCanaryAlert,
  anAlert,
  type SignedEnvelope,
  signedEnvelope,
  TEST_KEY_SET,
} from '../support/alert-builder.ts';
import { newFcmPhone } from '../support/fcm-phone.ts';
import {
  killHard,
  readSecret,
  revive,
  setFaults,
  startWholeSystem,
  type WholeSystem,
} from '../support/whole-system.ts';

// Two dispatchers with their buses and the stand-in providers, and nobody else: what ingest, edge and canary would say
// is said by the tests, with keys that the dispatchers trust. Each test has a commune and a crowd of its own.
let system: WholeSystem;
const bus: Record<string, NatsConnection> = {};
const SITES = ['a', 'b'] as const;

beforeAll(async () => {
  system = await startWholeSystem({
    services: ['dispatcher'],
    prepare: (stateDir) =>
      writeFileSync(join(stateDir, 'trusted-keys.json'), JSON.stringify(TEST_KEY_SET)),
  });
  for (const site of SITES)
    bus[site] = await connect({
      servers: urlOf(system, `nats-${site}`),
      user: 'dispatcher',
      pass: readSecret(system.stateDir, `secrets/nats-${site}-dispatcher`),
      maxReconnectAttempts: -1,
    });
  await prove();
}, 90_000);
afterAll(async () => {
  await Promise.all(Object.values(bus).map((each) => each.close()));
  await system?.close();
  system?.destroy();
}, 30_000);

const post = <Schema extends z.ZodType>(site: string, path: string, schema: Schema, body: object) =>
  fetchJson(`${urlOf(system, `dispatcher-${site}`)}${path}`, {
    schema,
    timeoutMs: 5_000,
    token: system.internalToken,
    ...body,
  });

/** Says to both nodes, as a canary would, that every route works: they then believe each other's receipts. */
async function prove(): Promise<void> {
  const proofs = SITES.flatMap((dispatcher) =>
    TRANSPORTS.map((transport) => ({
      path: { ingest: 'a', lane: 'direct', dispatcher, transport },
      ageMs: 0,
      latencyMs: 10,
    })),
  );
  for (const site of SITES)
    await post(site, '/v1/proofs', z.undefined(), { json: { v: 1, canary: 'a', proofs } });
}

/** Registers devices that live in the sandbox, as an edge would: by the registry streams of both sites. */
async function crowd(
  area: string,
  count: number,
  fcmShare: number,
): Promise<readonly Subscription[]> {
  const { subscriptions } = await fetchJson(`${urlOf(system, 'sandbox')}/crowds`, {
    schema: z.object({ subscriptions: z.array(Subscription) }),
    timeoutMs: 10_000,
    json: {
      name: `crowd-${area}`,
      areas: [{ code: area, count }],
      fcmShare,
      language: 'fr-FR',
      keySet: { keys: TEST_KEY_SET.keys.filter(({ audience }) => audience === 'public') },
    },
  });
  for (const subscription of subscriptions) await register(subscription);
  await untilAudience(area, count);
  return subscriptions;
}

/** The `goneShare` for which so many of these Web Push devices are gone. */
function shareOfGone(subscriptions: readonly Subscription[], gone: number): number {
  const positions = subscriptions.map(({ address }) => {
    if (address.transport !== 'web-push') throw new Error('a share of Web Push devices');
    return positionOf(tokenOfEndpointPath(new URL(address.endpoint).pathname) ?? '');
  });
  return positions.sort((a, b) => a - b)[gone] ?? 1;
}

async function register(subscription: Subscription): Promise<void> {
  const record: ActiveRecord = {
    v: 1,
    state: 'active',
    version: Date.now(),
    probe: false,
    subscription,
    lastHeardAt: new Date().toISOString(),
  };
  for (const site of SITES)
    await publish(site, registrySubject(subscription.deviceId), JSON.stringify(record));
}

async function publish(site: string, subject: string, data: string): Promise<void> {
  const connection = bus[site];
  if (!connection) throw new Error(`no bus ${site}`);
  await jetstream(connection).publish(subject, data);
}

/** The bus lane. By the user that publishes alerts: ingest's. */
async function overBus(site: string, { envelope, jws }: SignedEnvelope): Promise<void> {
  const connection = await connect({
    servers: urlOf(system, `nats-${site}`),
    user: 'ingest',
    pass: readSecret(system.stateDir, `secrets/nats-${site}-ingest`),
  });
  const { id, audience, alert } = envelope;
  await jetstream(connection).publish(alertSubject({ audience, sender: alert.sender, id }), jws);
  await connection.close();
}

const direct = (site: string, { jws }: { jws: string }) =>
  post(site, '/v1/intake', IntakeAnswer, { text: jws });

async function refusal(site: string, envelope: { jws: string }): Promise<number | undefined> {
  try {
    await direct(site, envelope);
    return undefined;
  } catch (error) {
    if (error instanceof FetchError) return error.status;
    throw error;
  }
}

async function progress(site: string, id: string): Promise<DispatchProgress | undefined> {
  try {
    return await post(site, `/v1/alerts/${id}/progress`, DispatchProgress, {});
  } catch (error) {
    if (error instanceof FetchError && error.status === 404) return undefined;
    throw error;
  }
}

const eventually = <Answer>(
  what: string,
  ask: () => Promise<Answer | undefined>,
  timeoutMs = 15_000,
) => until(what, { timeoutMs, everyMs: 50 }, ask);

const audience = async (site: string, area: string) => {
  const { counts } = await post(site, `/v1/audience?area=${area}`, AudienceAnswer, {});
  return (counts.fcm ?? 0) + (counts['web-push'] ?? 0);
};

async function untilAudience(area: string, count: number): Promise<void> {
  await eventually(`${count} devices in ${area}`, async () => {
    const known = await Promise.all(SITES.map((site) => audience(site, area)));
    return known.every((each) => each === count) ? true : undefined;
  });
}

const Report = z.object({
  total: z.object({
    devices: z.int(),
    received: z.int(),
    shownTwice: z.int(),
    repeats: z.int(),
    acceptedMessages: z.int(),
    byNode: z.record(z.string(), z.int()),
  }),
});

async function report(area: string, id: string): Promise<z.infer<typeof Report>['total']> {
  const url = `${urlOf(system, 'sandbox')}/crowds/crowd-${area}/report?alert=${id}&areas=${area}`;
  return (await fetchJson(url, { schema: Report, timeoutMs: 5_000 })).total;
}

async function untilReceived(area: string, id: string, timeoutMs = 15_000) {
  return await eventually(
    `everybody in ${area} has it`,
    async () => {
      const total = await report(area, id);
      return total.received === total.devices ? total : undefined;
    },
    timeoutMs,
  );
}

/** A counter of a dispatcher by the start of its line. */
async function counter(site: string, start: string): Promise<number> {
  const text = await (await fetch(`${urlOf(system, `dispatcher-${site}`)}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(start));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
const arrivals = (site: string, lane: string, result: string) =>
  counter(site, `dispatcher_arrivals_total{lane="${lane}",result="${result}"`);

test('P2 P4: an alert that comes by both lanes is taken once, and the copies are counted', async () => {
  const area = '06029';
  await crowd(area, 20, 0.5);
  const alert = await signedEnvelope(anAlert({ identifier: 'both', areaCode: area }), {
    shards: 8,
  });
  await Promise.all(SITES.flatMap((site) => [direct(site, alert), overBus(site, alert)]));
  const total = await untilReceived(area, alert.id);
  expect(total).toMatchObject({ devices: 20, received: 20, shownTwice: 0 });
  for (const site of SITES) {
    const seen = await eventually(`both lanes at ${site}`, async () => {
      const now = await progress(site, alert.id);
      return now?.lanes.length === 2 ? now : undefined;
    });
    expect([...seen.lanes].sort()).toEqual(['bus', 'direct']);
    const stored = await Promise.all(
      ['bus', 'direct', 'peer'].map((lane) => arrivals(site, lane, 'stored')),
    );
    expect(stored.reduce((sum, each) => sum + each, 0)).toBe(1);
  }
}, 40_000);

test('P2: the bus of one site alone, or one dispatcher’s intake alone, is enough for everybody', async () => {
  const area = '06004';
  await crowd(area, 10, 0.5);
  const byBus = await signedEnvelope(anAlert({ identifier: 'bus-only', areaCode: area }));
  await overBus('b', byBus);
  expect(await untilReceived(area, byBus.id)).toMatchObject({ received: 10, shownTwice: 0 });

  const byDirect = await signedEnvelope(anAlert({ identifier: 'direct-only', areaCode: area }));
  await direct('a', byDirect);
  expect(await untilReceived(area, byDirect.id)).toMatchObject({ received: 10, shownTwice: 0 });
  const atPeer = await eventually('the peer has it too', () => progress('b', byDirect.id));
  // Not from ingest directly; by its peer, or by a bus that the peer has put it back to.
  expect(atPeer.lanes).not.toContain('direct');
}, 40_000);

// Seen to fail: with openEnvelope's two checks of the audience taken out one of them is taken.
test('P6 P7 P8: what is forged, tampered with or signed for another audience is refused on both lanes, counted, and never sent', async () => {
  const area = '06027';
  await crowd(area, 5, 1);
  const about = (identifier: string) => anAlert({ identifier, areaCode: area });
  const honest = await signedEnvelope(about('honest'));
  const [head, body = '', signature] = honest.jws.split('.');
  const changed = Buffer.from(body, 'base64url').toString().replace('Attaque', 'Essai__');
  const path = { ingest: 'a', lane: 'direct', dispatcher: 'a', transport: 'fcm' } as const;
  const canary = aCanaryAlert({ identifier: 'canary', probes: ['x'] });
  const bad: SignedEnvelope[] = [
    await signedEnvelope(about('forged'), { key: 'stranger' }),
    { ...honest, jws: [head, Buffer.from(changed).toString('base64url'), signature].join('.') },
    await signedEnvelope(about('by-canary'), { path }),
    await signedEnvelope(canary, { path, key: 'public' }),
    await signedEnvelope(about('moved'), {
      tamper: (envelope) => ({ ...envelope, areaCodes: ['06'] }),
    }),
    await signedEnvelope(about('reworded'), {
      tamper: (envelope) => ({
        ...envelope,
        alert: { ...envelope.alert, note: 'another text than the one that was hashed' },
      }),
    }),
  ];
  const before = {
    direct: await arrivals('a', 'direct', 'refused'),
    junk: await counter('a', 'dispatcher_junk_total{source="alerts"'),
  };
  for (const each of bad) {
    expect([each.envelope.alert.identifier, await refusal('a', each)]).toEqual([
      each.envelope.alert.identifier,
      422,
    ]);
    await overBus('a', each);
  }
  await eventually('all of them are counted', async () => {
    const junk = await counter('a', 'dispatcher_junk_total{source="alerts"');
    return junk - before.junk === bad.length ? true : undefined;
  });
  expect((await arrivals('a', 'direct', 'refused')) - before.direct).toBe(bad.length);

  // An honest one goes through after them; by then any of the others would have been sent as well.
  const last = await signedEnvelope(about('last'));
  await direct('a', last);
  await untilReceived(area, last.id);
  for (const each of bad) expect((await report(area, each.id)).received).toBe(0);
  expect((await report(area, last.id)).acceptedMessages).toBe(
    5 + (await report(area, last.id)).repeats,
  );
}, 40_000);

test('P3: what has expired on arrival is kept for the record and never sent', async () => {
  const area = '06069';
  await crowd(area, 5, 0.4);
  const late = await signedEnvelope(
    anAlert({
      identifier: 'late',
      areaCode: area,
      sentMs: Date.now() - 7_200_000,
      lifeSeconds: 3_600,
    }),
  );
  expect(await direct('a', late)).toMatchObject({ result: 'stored' });
  expect((await progress('a', late.id))?.state).toBe('journaled');
  const atPeer = await eventually('the peer has it', () => progress('b', late.id));
  expect(atPeer.state).toBe('journaled');
  const next = await signedEnvelope(anAlert({ identifier: 'in-time', areaCode: area }));
  await direct('a', next);
  await untilReceived(area, next.id);
  expect((await report(area, late.id)).received).toBe(0);
}, 40_000);

test('P7: the same identity with another content is a conflict; the first content stays the one that is sent', async () => {
  const area = '06079';
  await crowd(area, 5, 1);
  const sentMs = Date.now();
  const facts = { identifier: 'same', areaCode: area, sentMs };
  const first = await signedEnvelope(anAlert(facts));
  const second = await signedEnvelope(anAlert({ ...facts, headline: 'Autre chose' }));
  expect(second.id).toBe(first.id);
  await direct('a', first);
  expect(await direct('a', first)).toMatchObject({ result: 'duplicate' });
  expect(await refusal('a', second)).toBe(409);
  expect(await arrivals('a', 'direct', 'conflict')).toBe(1);
  expect(await untilReceived(area, first.id)).toMatchObject({ received: 5, shownTwice: 0 });
}, 40_000);

test('P2 P3: a dispatcher that was down catches up from its peer and from the bus, and sends nothing that has expired or is done', async () => {
  const area = '06030';
  await crowd(area, 10, 0.5);
  await killHard(system, 'dispatcher-b');
  const brief = anAlert({ identifier: 'brief', areaCode: area, lifeSeconds: 3 });
  const expired = await signedEnvelope(brief);
  const done = await signedEnvelope(anAlert({ identifier: 'done', areaCode: area }));
  await direct('a', expired);
  await direct('a', done);
  await untilReceived(area, done.id);
  await killHard(system, 'dispatcher-a');
  const waiting = await signedEnvelope(anAlert({ identifier: 'on-the-bus', areaCode: area }));
  await overBus('b', waiting);
  await eventually('the brief one is over', async () =>
    Date.now() > Date.parse(expired.envelope.expiresAt) ? true : undefined,
  );
  await revive(system, 'dispatcher-b');
  expect(await untilReceived(area, waiting.id)).toMatchObject({
    received: 10,
    shownTwice: 0,
    byNode: { b: 10 },
  });
  await revive(system, 'dispatcher-a');
  await prove();
  const journaled = await eventually('b has the expired one', () => progress('b', expired.id));
  expect(['journaled', 'expired']).toContain(journaled.state);
  for (const counts of Object.values(journaled.transports)) expect(counts.counts.accepted).toBe(0);
  await eventually('b has the one that was done', () => progress('b', done.id));
  expect(await report(area, done.id)).toMatchObject({ received: 10, shownTwice: 0 });
}, 60_000);

test('P9: a 503 removes nobody, and is tried again until it is accepted', async () => {
  const area = '06083';
  await crowd(area, 30, 1);
  await setFaults(system, { fcm: { status5xxShare: 1 } });
  const hindered = await signedEnvelope(anAlert({ identifier: 'hindered', areaCode: area }), {
    shards: 4,
  });
  await direct('a', hindered);
  await eventually('the provider has refused', async () => {
    const pending = await progress('a', hindered.id);
    return (pending?.transports.fcm?.pending ?? 0) > 0 ? true : undefined;
  });
  expect(await Promise.all(SITES.map((site) => audience(site, area)))).toEqual([30, 30]);
  await setFaults(system, {});
  expect(await untilReceived(area, hindered.id, 30_000)).toMatchObject({
    received: 30,
    shownTwice: 0,
  });
  expect(await Promise.all(SITES.map((site) => audience(site, area)))).toEqual([30, 30]);
}, 60_000);

test('P9: a 410 and an UNREGISTERED remove the subscription from every replica, and nobody else’s', async () => {
  const area = '06084';
  const subscriptions = await crowd(area, 15, 0);
  const phone = await newFcmPhone(system, area);
  await register(phone.subscription);
  await untilAudience(area, 16);
  if (phone.subscription.address.transport !== 'fcm') throw new Error('a phone has FCM');
  const token = encodeURIComponent(phone.subscription.address.token);
  await fetchJson(`${urlOf(system, 'sandbox')}/fcm/tokens/${token}`, {
    schema: z.undefined(),
    timeoutMs: 5_000,
    method: 'PUT',
    json: { state: 'unregistered' },
  });
  // As many as the quarantine lets go: more than half of a small crowd would be a storm.
  await setFaults(system, { webPush: { goneShare: shareOfGone(subscriptions, 3) } });
  try {
    const alert = await signedEnvelope(anAlert({ identifier: 'gone', areaCode: area }));
    await direct('a', alert);
    // Each node may send a part, and a device twice: what counts is what both have heard together.
    await eventually('everybody has an answer, at one node or the other', async () => {
      const figures = await Promise.all(SITES.map((site) => progress(site, alert.id)));
      const counts = figures.flatMap((each) =>
        TRANSPORTS.map((kind) => each?.transports[kind]?.counts),
      );
      const answered = counts.map((each) => (each?.gone ?? 0) + (each?.accepted ?? 0));
      return answered.reduce((sum, each) => sum + each, 0) >= 16 ? true : undefined;
    });
    await untilAudience(area, 12);
    expect(await report(area, alert.id)).toMatchObject({ received: 12, shownTwice: 0 });
  } finally {
    await setFaults(system, {});
  }
}, 40_000);

// Seen to fail: with the guard's refusal taken out of gone-guard.ts nothing is quarantined.
test('P9: a storm of 410 is quarantined, and everybody is still a subscriber', async () => {
  const area = '06085';
  await crowd(area, 40, 0);
  await setFaults(system, { webPush: { goneShare: 1 } });
  try {
    const alert = await signedEnvelope(anAlert({ identifier: 'storm', areaCode: area }));
    await direct('a', alert);
    await eventually('the storm is noticed', async () => {
      const counts = await Promise.all(
        SITES.map((site) => counter(site, 'dispatcher_quarantined_total{transport="web-push"')),
      );
      return counts.some((count) => count >= 40) ? true : undefined;
    });
    expect(await Promise.all(SITES.map((site) => audience(site, area)))).toEqual([40, 40]);
  } finally {
    await setFaults(system, {});
  }
}, 40_000);

// Seen to fail: with the step 'take-over' taken out of ring.ts nobody of the killed node's share is ever reached.
test('P2: a node is killed -9 while its retries are pending: the peer takes them over and everybody gets the alert', async () => {
  const area = '06088';
  await crowd(area, 40, 1);
  await prove();
  await setFaults(system, { fcm: { status5xxShare: 1, latencyMs: 500 } });
  const alert = await signedEnvelope(anAlert({ identifier: 'taken-over', areaCode: area }), {
    shards: 16,
  });
  await Promise.all(SITES.map((site) => direct(site, alert)));
  await eventually('both have said what is pending', async () => {
    const both = await Promise.all(SITES.map((site) => progress(site, alert.id)));
    return both.every((each) => {
      const fcm = each?.transports.fcm;
      return fcm !== undefined && fcm.pending > 0 && fcm.shardsByPeers > 0;
    })
      ? true
      : undefined;
  });
  await killHard(system, 'dispatcher-a');
  await setFaults(system, {});
  try {
    expect(await untilReceived(area, alert.id, 40_000)).toMatchObject({
      received: 40,
      shownTwice: 0,
      byNode: { b: 40 },
    });
    const log = readFileSync(join(system.stateDir, 'logs/dispatcher-b.log'), 'utf8');
    expect(log).toContain('took over what a silent or stuck peer had left');
  } finally {
    await revive(system, 'dispatcher-a');
  }
}, 90_000);

test('each node knows when the sends of both were accepted: a dead one’s part is not lost', async () => {
  const area = '06155';
  await crowd(area, 60, 0.5);
  await prove();
  const alert = await signedEnvelope(anAlert({ identifier: 'timed', areaCode: area }), {
    shards: 8,
  });
  await Promise.all(SITES.map((site) => direct(site, alert)));
  await untilReceived(area, alert.id);
  for (const site of SITES)
    await eventually(`dispatcher ${site} knows both parts`, async () => {
      const { transports } = (await progress(site, alert.id)) ?? {};
      const counted = TRANSPORTS.map((kind) => {
        const timings = Object.values(transports?.[kind]?.timings ?? {});
        return timings.flatMap(({ counts }) => counts).reduce((sum, count) => sum + count, 0);
      });
      return counted.every((count) => count >= 30) ? true : undefined;
    });
  const { fcm } = (await progress('a', alert.id))?.transports ?? {};
  expect(Object.keys(fcm?.timings ?? {}).sort()).toEqual(['a', 'b']);
  const seconds = 'dispatcher_accept_seconds_count{transport="fcm",severity="Extreme"';
  expect((await counter('a', seconds)) + (await counter('b', seconds))).toBeGreaterThanOrEqual(30);
});

test('a throttled project: nothing more is sent to FCM until its Retry-After is over, and then everybody has it', async () => {
  const area = '06123';
  await crowd(area, 40, 0.5);
  await prove();
  const throttled = async () =>
    (await Promise.all(SITES.map((site) => counter(site, THROTTLED)))).reduce((a, b) => a + b, 0);
  await setFaults(system, {
    fcm: { reject429Share: 1, quotaScope: 'project', retryAfterSeconds: 4 },
  });
  const send = async (identifier: string) => {
    const alert = await signedEnvelope(anAlert({ identifier, areaCode: area }), { shards: 8 });
    await Promise.all(SITES.map((site) => direct(site, alert)));
    return alert.id;
  };
  const before = await throttled();
  const first = await send('throttled-first');
  await eventually('both have been throttled', async () => {
    const rates = await Promise.all(SITES.map((site) => counter(site, RATE)));
    return rates.every((rate) => rate === 0) ? true : undefined;
  });
  const refused = await throttled();
  expect(refused).toBeGreaterThan(before);
  await setFaults(system, {});
  const second = await send('throttled-second');
  // Web Push is not held back by what Google says.
  await eventually('the others have it', async () => {
    const { received } = await report(area, second);
    return received >= 20 ? true : undefined;
  });
  await untilReceived(area, first, 40_000);
  await untilReceived(area, second, 40_000);
  expect(await throttled()).toBeLessThan(refused + 20);
}, 90_000);

const THROTTLED = 'tocsin_push_outcomes_total{transport="fcm",outcome="throttled",reason="project"';
const RATE = 'dispatcher_fcm_rate_per_second';
