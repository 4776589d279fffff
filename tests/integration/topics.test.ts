import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { topicTurn } from '../../services/dispatcher/topics/decide-topics.ts';
import { alertId } from '../../shared/alert/alert-id.ts';
import { registrySubject } from '../../shared/bus/subjects.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { DispatchProgress, IntakeAnswer } from '../../shared/receipt/progress.ts';
import { type RegistryRecord, recordDeviceId } from '../../shared/subscription/registry-record.ts';
import { aCanaryAlert, anAlert, signedEnvelope, TEST_KEY_SET } from '../support/alert-builder.ts';
import { type FcmPhone, newFcmPhone } from '../support/fcm-phone.ts';
import {
  killHard,
  readSecret,
  revive,
  setFaults,
  startWholeSystem,
  type WholeSystem,
} from '../support/whole-system.ts';

// Two dispatchers with their buses and the stand-in of Google: once as they come, once with topics on.
let system: WholeSystem;
const SITES = ['a', 'b'] as const;

beforeAll(() => start({}), 90_000);
afterAll(stop, 30_000);

async function start(dispatcher: Readonly<Record<string, string>>): Promise<void> {
  system = await startWholeSystem({
    services: ['dispatcher'],
    extraEnv: { dispatcher: { FCM_TOPICS_MIN_AUDIENCE: '1', ...dispatcher } },
    prepare: (stateDir) =>
      writeFileSync(join(stateDir, 'trusted-keys.json'), JSON.stringify(TEST_KEY_SET)),
  });
}
async function stop(): Promise<void> {
  await system?.close();
  system?.destroy();
}

/** Into the streams of both sites, as an edge would. */
async function publish(record: RegistryRecord): Promise<void> {
  for (const site of SITES) {
    const bus = await connect({
      servers: urlOf(system, `nats-${site}`),
      user: 'dispatcher',
      pass: readSecret(system.stateDir, `secrets/nats-${site}-dispatcher`),
    });
    const subject = registrySubject(recordDeviceId(record));
    await jetstream(bus).publish(subject, JSON.stringify(record));
    await bus.close();
  }
}

let version = Date.now();
function active({ subscription }: FcmPhone, areaCodes: string[], probe = false): RegistryRecord {
  return {
    v: 1,
    state: 'active',
    version: ++version,
    probe,
    subscription: { ...subscription, areaCodes },
    lastHeardAt: new Date().toISOString(),
  };
}
function removed(phone: FcmPhone, reason: 'gone' | 'unsubscribed'): RegistryRecord {
  const { deviceId } = phone.subscription;
  return { v: 1, state: 'removed', version: ++version, deviceId, reason };
}

async function aPhone(areaCode: string): Promise<FcmPhone> {
  const phone = await newFcmPhone(system, areaCode);
  await publish(active(phone, [areaCode]));
  await phone.switchOn();
  return phone;
}

const direct = (site: string, { jws }: { jws: string }) =>
  fetchJson(`${urlOf(system, `dispatcher-${site}`)}/v1/intake`, {
    schema: IntakeAnswer,
    timeoutMs: 5_000,
    token: system.internalToken,
    text: jws,
  });

const eventually = (what: string, isSo: () => Promise<boolean> | boolean, timeoutMs = 20_000) =>
  until(what, { timeoutMs, everyMs: 50 }, async () => ((await isSo()) ? true : undefined));

const control = <Schema extends z.ZodType>(path: string, schema: Schema) =>
  fetchJson(`${urlOf(system, 'sandbox')}${path}`, { schema, timeoutMs: 5_000 });

async function topicsOf({ subscription: { address } }: FcmPhone): Promise<string[]> {
  const token = address.transport === 'fcm' ? address.token : '';
  const schema = z.object({ topics: z.array(z.string()) });
  return (await control(`/fcm/tokens/${encodeURIComponent(token)}/topics`, schema)).topics;
}
const untilIn = (phone: FcmPhone, topics: string[]) =>
  eventually(`it is in ${topics}`, async () => `${await topicsOf(phone)}` === `${topics}`);

/** What the phone made of an alert, in order. */
const made = (phone: FcmPhone, id: string) =>
  phone.received.flatMap(({ decision, message }) => (message?.id === id ? [decision.action] : []));

async function metrics(site: string): Promise<string> {
  return await (await fetch(`${urlOf(system, `dispatcher-${site}`)}/metrics`)).text();
}
/** Over both dispatchers. */
async function counter(start: string): Promise<number> {
  const texts = await Promise.all(SITES.map(metrics));
  const lines = texts.flatMap((text) => text.split('\n').filter((each) => each.startsWith(start)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('off by default: an alert for any number asks nothing of topics', async () => {
  const phone = await aPhone('06088');
  await eventually('it is registered', async () => {
    return (await counter('dispatcher_registry_devices')) === 2;
  });
  const alert = await signedEnvelope(anAlert({ identifier: 'off' }));
  await direct('a', alert);
  await eventually('it has come', () => made(phone, alert.id).includes('shown'));
  for (const site of SITES) expect(await metrics(site)).not.toContain('dispatcher_topic_');
  const schema = z.object({ topics: z.array(z.unknown()) });
  expect((await control('/fcm/topics', schema)).topics).toEqual([]);
  const stats = z.object({ fcm: z.object({ requests: z.int() }) });
  expect((await control('/stats', stats)).fcm.requests).toBe(
    await counter('dispatcher_outcomes_total{transport="fcm"'),
  );
  await phone.switchOff();
  await stop();
}, 60_000);

test('with topics on, the registry’s changes are the topics’ changes', async () => {
  await start({ FCM_TOPICS: 'on', FCM_TOPICS_WALK_SECONDS: '1' });
  const phone = await aPhone('06088');
  await untilIn(phone, ['tocsin.public.at-06088.fr', 'tocsin.public.in-06.fr']);
  await publish(active(phone, ['06029', '13']));
  await untilIn(phone, [
    'tocsin.public.at-06029.fr',
    'tocsin.public.at-13.fr',
    'tocsin.public.in-06.fr',
    'tocsin.public.in-13.fr',
  ]);
  await publish(removed(phone, 'unsubscribed'));
  await untilIn(phone, []);
  await phone.switchOff();
}, 120_000);

test('P2 P4: whom the registry has lost gets alert and Cancel by topic; who is in both is shown it once', async () => {
  const area = '06083';
  const [lost, both, elsewhere] = [await aPhone(area), await aPhone(area), await aPhone('06030')];
  const topics = [`tocsin.public.at-${area}.fr`, 'tocsin.public.in-06.fr'];
  await untilIn(lost, topics);
  await untilIn(both, topics);
  await publish(removed(lost, 'gone'));
  await eventually('it is in no registry', async () => {
    return (await counter('dispatcher_registry_devices')) === 4;
  });
  const first = anAlert({ identifier: 'by-topic', areaCode: area });
  const alert = await signedEnvelope(first);
  await direct('a', alert);
  await eventually('the lost one has it', () => made(lost, alert.id).length === 1);
  await eventually('the other has it twice', () => made(both, alert.id).length >= 2);
  expect(made(lost, alert.id)).toEqual(['shown']);
  expect(made(both, alert.id).filter((action) => action === 'shown')).toHaveLength(1);
  expect(await topicsOf(lost)).toEqual(topics);

  const cancel = await signedEnvelope(
    anAlert({ identifier: 'cancel', areaCode: area, msgType: 'Cancel', references: [first] }),
  );
  await direct('b', cancel);
  await eventually('the lost one hears the end', () => made(lost, cancel.id).length === 1);
  expect(made(lost, cancel.id)).toEqual(['taken-down']);
  expect(made(elsewhere, alert.id)).toEqual([]);
  await Promise.all([lost, both, elsewhere].map((phone) => phone.switchOff()));
}, 60_000);

// Seen to fail: with the checks for people and probes taken out of decide-topics.ts, membership.ts and topic-name.ts.
test('P6: a probe is in no topic, and a canary’s Test goes to none', async () => {
  const probe = await newFcmPhone(system, 'ZZ999');
  await publish(active(probe, ['ZZ999'], true));
  const witness = await aPhone('06079');
  await untilIn(witness, ['tocsin.public.at-06079.fr', 'tocsin.public.in-06.fr']);
  expect(await topicsOf(probe)).toEqual([]);
  const before = await counter('dispatcher_topic_sends_total');
  const { deviceId } = probe.subscription;
  const test = aCanaryAlert({ identifier: 'test', probes: [deviceId] });
  // By the dispatcher whose turn it would be.
  const facts = { id: await alertId(test), references: [] };
  const site = SITES.find((each) => topicTurn(facts, each, SITES).turn === 0) ?? 'a';
  const path = { ingest: 'a', lane: 'direct', dispatcher: site, transport: 'fcm' } as const;
  const canary = await signedEnvelope(test, { path });
  await direct(site, canary);
  await eventually('the probe’s message was accepted', async () => {
    const url = `${urlOf(system, `dispatcher-${site}`)}/v1/alerts/${canary.id}/progress`;
    const token = system.internalToken;
    const progress = await fetchJson(url, { schema: DispatchProgress, timeoutMs: 5_000, token });
    return progress.transports.fcm?.counts.accepted === 1;
  });
  // An alert behind it does go to topics; by then the Test would have gone too.
  const alert = await signedEnvelope(anAlert({ identifier: 'behind', areaCode: '06079' }));
  await direct('a', alert);
  // For its commune and for who chose the department, in two languages.
  await eventually('it went to topics', async () => {
    return (await counter('dispatcher_topic_sends_total{outcome="accepted"')) === before + 4;
  });
  expect(await counter('dispatcher_topic_sends_total')).toBe(before + 4);
  const names = await control(
    '/fcm/topics',
    z.object({ topics: z.array(z.object({ topic: z.string() })) }),
  );
  expect(names.topics.filter(({ topic }) => topic.includes('ZZ'))).toEqual([]);
  await witness.switchOff();
}, 60_000);

test('a dispatcher that was killed goes on where it was: it tells what is new, and nothing again', async () => {
  const names = SITES.map((site) => `dispatcher-${site}`);
  const members = await counter('dispatcher_topic_members');
  expect(members).toBeGreaterThan(0);
  await killHard(system, ...names);
  const late = await newFcmPhone(system, '06155');
  await publish(active(late, ['06155']));
  await revive(system, ...names);
  await untilIn(late, ['tocsin.public.at-06155.fr', 'tocsin.public.in-06.fr']);
  await eventually('it is counted', async () => {
    return (await counter('dispatcher_topic_changes_total')) === 2;
  });
  expect(await counter('dispatcher_topic_members')).toBe(members + 1);
}, 60_000);

test('a service that fails is asked again, later, and then everybody is in', async () => {
  await setFaults(system, { fcm: { status5xxShare: 1, status5xx: 503 } });
  const phone = await newFcmPhone(system, '06157');
  await publish(active(phone, ['06157']));
  await eventually('it was postponed', async () => {
    return (await counter('dispatcher_topic_requests_postponed_total')) > 0;
  });
  await setFaults(system, {});
  await untilIn(phone, ['tocsin.public.at-06157.fr', 'tocsin.public.in-06.fr']);
}, 60_000);
