import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { recipientFilter } from '../../services/dispatcher/dispatch.ts';
import { outgoingMessages } from '../../services/dispatcher/outgoing-messages.ts';
import { Registry } from '../../services/dispatcher/registry.ts';
import { draftEnvelope, signEnvelope } from '../../services/ingest/accept/build-envelope.ts';
import { readAlert } from '../../services/ingest/accept/read-alert.ts';
import { ApiKey } from '../../services/ingest/keys/api-keys.ts';
import { type Alert, Alert as AlertSchema } from '../../shared/alert/alert.ts';
import { CANARY_AREA, CANARY_GEOCODE } from '../../shared/alert/area.ts';
import { AUDIENCES, type Audience } from '../../shared/alert/audience.ts';
import { SCOPES, STATUSES } from '../../shared/alert/cap-values.ts';
import { createInMemoryStore } from '../../shared/device/in-memory-store.ts';
import { receive } from '../../shared/device/receive.ts';
import type { Envelope } from '../../shared/envelope/envelope.ts';
import { openEnvelope } from '../../shared/envelope/open-envelope.ts';
import { createSigner, createVerifier } from '../../shared/envelope/signature.ts';
import type { RegistryRecord } from '../../shared/subscription/registry-record.ts';
import { anAlert, signedEnvelope, TEST_KEY_SET, TEST_KEYS } from '../support/alert-builder.ts';

/**
 * The Ontario rule: in January 2020 a test of a nuclear accident's alert went to a whole province. Nothing that a
 * canary's credentials can do reaches a person's device, and nothing Actual goes to probes alone. Held at each of the
 * three places by itself: ingest's check, the dispatcher's choice of recipients, the device.
 */
jest.setTimeout(120_000);

const NOW = Date.now();
const PERSON = 'person'.padEnd(22, 'A');
const FAR_PERSON = 'far-person'.padEnd(22, 'A');
const PROBE = 'probe'.padEnd(22, 'A');
const OTHER_PROBE = 'other-probe'.padEnd(22, 'A');
const PEOPLE = [PERSON, FAR_PERSON];

const verifyEnvelope = createVerifier(TEST_KEY_SET, 'envelope');
const verifyAlert = createVerifier(TEST_KEY_SET, 'alert');
let folder: string;
let registry: Registry;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-ontario-'));
  registry = new Registry(join(folder, 'registry.sqlite'));
  registry.apply(
    [
      device(PERSON, '06088', false),
      device(FAR_PERSON, '13055', false),
      device(PROBE, CANARY_AREA, true),
      device(OTHER_PROBE, CANARY_AREA, true),
    ].map((record) => ({ record })),
  );
});
afterAll(() => {
  registry.close();
  rmSync(folder, { recursive: true });
});

function device(deviceId: string, areaCode: string, probe: boolean): RegistryRecord {
  return {
    v: 1,
    state: 'active',
    version: 1,
    probe,
    lastHeardAt: '2026-07-14T20:00:00Z',
    subscription: {
      deviceId,
      address: { transport: 'fcm', token: `token-of-${deviceId}` },
      areaCodes: [areaCode],
      language: 'fr-FR',
      appVersion: '1',
    },
  };
}

const key = (changes: object) =>
  ApiKey.parse({
    id: 'key',
    hash: '0'.repeat(64),
    sender: 'pref06@alerte.example',
    maxSeverity: 'Extreme',
    ...changes,
  });
const CREDENTIALS: Readonly<Record<Audience, ApiKey>> = {
  canary: key({ statuses: ['Test'], territory: [CANARY_AREA] }),
  public: key({ statuses: ['Actual', 'Exercise'], territory: ['06'] }),
};

const GEOCODES = {
  commune: { valueName: 'INSEE:COM', value: '06088' },
  department: { valueName: 'INSEE:DEP', value: '06' },
  reserved: { valueName: CANARY_GEOCODE, value: CANARY_AREA },
} as const;
type Place = keyof typeof GEOCODES;
const AREAS: readonly (readonly Place[])[] = [
  ['commune'],
  ['department'],
  ['reserved'],
  ['commune', 'reserved'],
  ['department', 'reserved'],
  ['commune', 'department', 'reserved'],
];
const ADDRESSES = [
  undefined,
  PROBE,
  PERSON,
  `${PERSON} ${PROBE}`,
  [...PEOPLE, PROBE, 'nobody'].join(' '),
];
const PATH = { ingest: 'a', lane: 'direct', dispatcher: 'a', transport: 'fcm' } as const;
const CODES = [undefined, ['tocsin-path:a:direct:a:fcm', 'tocsin-nonce:AAAAAAAAAAAA']];

const anyMessage = fc.record({
  status: fc.constantFrom(...STATUSES),
  scope: fc.constantFrom(...SCOPES),
  area: fc.constantFrom(...AREAS),
  addresses: fc.constantFrom(...ADDRESSES),
  code: fc.constantFrom(...CODES),
});
type AnyMessage = typeof anyMessage extends fc.Arbitrary<infer Value> ? Value : never;

/** Every combination, one by one: there are few enough. */
const EVERY_MESSAGE: readonly AnyMessage[] = STATUSES.flatMap((status) =>
  SCOPES.flatMap((scope) =>
    AREAS.flatMap((area) =>
      ADDRESSES.flatMap((addresses) =>
        CODES.map((code) => ({ status, scope, area, addresses, code })),
      ),
    ),
  ),
);

let count = 0;
function alertOf({ status, scope, area, addresses, code }: AnyMessage): Alert {
  const lifeSeconds = status === 'Test' ? 90 : 3600;
  const base = anAlert({ identifier: `ontario-${++count}`, sentMs: NOW, lifeSeconds });
  const info = base.info.map((each) => ({
    ...each,
    // An exercise has to say so: that is another rule than this one.
    headline: `EXERCICE EXERCISE ${each.headline}`,
    area: area.map((place) => ({ areaDesc: place, geocode: [GEOCODES[place]] })),
  }));
  return AlertSchema.parse({
    ...base,
    status,
    scope,
    info,
    ...(addresses === undefined ? {} : { addresses }),
    ...(code === undefined ? {} : { code }),
  });
}

async function signers(audience: Audience) {
  const signingKey = TEST_KEYS[audience];
  return {
    alert: await createSigner(signingKey, 'alert'),
    envelope: await createSigner(signingKey, 'envelope'),
  };
}

/** Ingest as it is, with one key: what comes out of it for the lanes, or undefined when it is refused. */
async function throughIngest(alert: Alert, credential: ApiKey): Promise<string | undefined> {
  const read = readAlert(alert, credential, { node: 'a', nowMs: NOW });
  if (!read.ok) return undefined;
  const both = { public: await signers('public'), canary: await signers('canary') };
  const drafted = await draftEnvelope(read.alert, read.round, both);
  if (!drafted.ok) return undefined;
  const issue = { shards: 1, issuer: 'a', nowMs: NOW };
  return signEnvelope(drafted.draft, issue, both[drafted.draft.audience].envelope);
}

const ALL = { transport: 'fcm', shard: 0, shards: 1, after: '', limit: 1_000 } as const;
const recipientsOf = (envelope: Envelope) =>
  registry.page(recipientFilter(envelope), ALL).map(({ deviceId }) => deviceId);

/** A dispatcher as it is: whom it would send to; undefined when it takes the envelope for junk. */
async function throughDispatcher(jws: string) {
  try {
    const envelope = await openEnvelope(jws, verifyEnvelope);
    const message = (await outgoingMessages(envelope, 'a', verifyAlert))('fr-FR');
    return { envelope, recipients: recipientsOf(envelope), signed: message.signedMessage };
  } catch {
    return undefined;
  }
}

/** A device as it is, which trusts every key there is and nothing was shown on. */
async function isShown(signed: string, accepts: readonly Audience[]): Promise<boolean> {
  const setup = {
    verify: verifyAlert,
    accepts,
    store: createInMemoryStore(),
    now: () => NOW,
  };
  const { decision } = await receive({ alert: signed, via: 'a' }, setup);
  return decision.action !== 'refused' && decision.action !== 'ignored';
}
const PERSONS_DEVICE: readonly Audience[] = ['public'];
const PROBES_DEVICE: readonly Audience[] = ['canary', 'public'];

test('P6: of all that a canary’s credential can ask for, only a private Test for probes passes, and it reaches no person', async () => {
  let accepted = 0;
  for (const message of EVERY_MESSAGE) {
    const jws = await throughIngest(alertOf(message), CREDENTIALS.canary);
    if (jws === undefined) continue;
    accepted++;
    expect(message).toMatchObject({ status: 'Test', scope: 'Private', area: ['reserved'] });
    const sent = await throughDispatcher(jws);
    expect(sent?.envelope.audience).toBe('canary');
    expect(sent?.recipients).toEqual(message.addresses?.includes(PROBE) ? [PROBE] : []);
    // Even if it were handed to a person's device.
    expect(await isShown(sent?.signed ?? '', PERSONS_DEVICE)).toBe(false);
    expect(await isShown(sent?.signed ?? '', PROBES_DEVICE)).toBe(true);
  }
  // One for each way of naming recipients: four of 900 combinations.
  expect([accepted, EVERY_MESSAGE.length]).toEqual([4, 900]);
});

test('P6: whatever a prefecture’s credential can send reaches the people of the area, and all probes beside them', async () => {
  let accepted = 0;
  for (const message of EVERY_MESSAGE) {
    const jws = await throughIngest(alertOf(message), CREDENTIALS.public);
    if (jws === undefined) continue;
    accepted++;
    expect(['Actual', 'Exercise']).toContain(message.status);
    const sent = await throughDispatcher(jws);
    expect(sent?.envelope.audience).toBe('public');
    expect([...(sent?.recipients ?? [])].sort()).toEqual([OTHER_PROBE, PERSON, PROBE].sort());
    expect(await isShown(sent?.signed ?? '', PERSONS_DEVICE)).toBe(true);
  }
  // Two statuses, two areas.
  expect(accepted).toBe(4);
});

test('P6: any key that a file of keys may hold: if it may send a Test it reaches no person, if it may not it reaches more than probes', async () => {
  const anyKey = fc
    .record({
      statuses: fc.uniqueArray(fc.constantFrom('Actual', 'Exercise', 'Test'), { minLength: 1 }),
      territory: fc.uniqueArray(fc.constantFrom('06', '06088', CANARY_AREA), { minLength: 1 }),
    })
    .map((changes) => ({ ...CREDENTIALS.public, ...changes }));
  await fc.assert(
    fc.asyncProperty(anyMessage, anyKey, async (message, candidate) => {
      const parsed = ApiKey.safeParse(candidate);
      if (!parsed.success) return;
      const jws = await throughIngest(alertOf(message), parsed.data);
      if (jws === undefined) return;
      const sent = await throughDispatcher(jws);
      const people = sent?.recipients.filter((id) => PEOPLE.includes(id)) ?? [];
      const isTester = parsed.data.statuses.includes('Test');
      expect([message, isTester, people.length > 0]).toEqual([message, isTester, !isTester]);
    }),
    { numRuns: 3_000 },
  );
});

/** What a thief of a signing key, or a bug in ingest, could put on a lane: every claim is free, nothing was checked. */
const anyClaim = fc.record({
  message: anyMessage,
  signedBy: fc.constantFrom(...AUDIENCES),
  /** Whose messages for devices it carries: a thief may have an old genuine one. */
  messagesBy: fc.constantFrom(...AUDIENCES),
  claims: fc.constantFrom(...AUDIENCES),
  named: fc.boolean(),
});

test('P6: past ingest, too: an envelope signed by the canaries’ key reaches no person, and an Actual one never probes alone', async () => {
  const taken = { canary: 0, public: 0, junk: 0 };
  await fc.assert(
    fc.asyncProperty(anyClaim, async ({ message, signedBy, messagesBy, claims, named }) => {
      const alert = alertOf(message);
      const { deviceMessages } = (await signedEnvelope(alert, { key: messagesBy })).envelope;
      const { jws } = await signedEnvelope(alert, {
        key: signedBy,
        ...(named ? { path: PATH } : {}),
        tamper: (envelope) => ({ ...envelope, audience: claims, deviceMessages }),
      });
      const sent = await throughDispatcher(jws);
      if (!sent) {
        taken.junk++;
        return;
      }
      taken[sent.envelope.audience]++;
      const people = sent.recipients.filter((id) => PEOPLE.includes(id));
      if (signedBy === 'canary') expect([message, people]).toEqual([message, []]);
      if (message.status === 'Actual') expect([message, people]).not.toEqual([message, []]);
      expect(await isShown(sent.signed, PERSONS_DEVICE)).toBe(signedBy === 'public');
    }),
    { numRuns: 1_500, examples: [[HONEST_CANARY], [HONEST_ACTUAL]] },
  );
  // Something of each was seen: a property that holds for nothing says nothing.
  expect(Math.min(taken.canary, taken.public, taken.junk)).toBeGreaterThan(0);
});

test('P6: a device of the public shows nothing that the canaries’ key has signed, whatever it claims to be', async () => {
  let shown = 0;
  await fc.assert(
    fc.asyncProperty(anyClaim, async ({ message, signedBy, claims }) => {
      const { envelope } = await signedEnvelope(alertOf(message), { key: signedBy });
      const [, payload = ''] = (envelope.deviceMessages['fr-FR'] ?? '').split('.');
      const clear = JSON.parse(Buffer.from(payload, 'base64url').toString());
      const sign = await createSigner(TEST_KEYS[signedBy], 'alert');
      const signed = await sign(JSON.stringify({ ...clear, audience: claims }));
      const onPhone = await isShown(signed, PERSONS_DEVICE);
      if (onPhone) shown++;
      const isForPeople = ['Actual', 'Exercise'].includes(message.status);
      const isHonest = signedBy === 'public' && claims === 'public' && isForPeople;
      expect([message, signedBy, claims, onPhone]).toEqual([message, signedBy, claims, isHonest]);
    }),
    { numRuns: 1_000 },
  );
  expect(shown).toBeGreaterThan(0);
});

const HONEST_CANARY = {
  message: {
    status: 'Test' as const,
    scope: 'Private' as const,
    area: ['reserved'] as const,
    addresses: `${PERSON} ${PROBE}`,
    code: CODES[1],
  },
  signedBy: 'canary' as const,
  messagesBy: 'canary' as const,
  claims: 'canary' as const,
  named: true,
};
const HONEST_ACTUAL = {
  message: {
    status: 'Actual' as const,
    scope: 'Public' as const,
    area: ['commune'] as const,
    addresses: undefined,
    code: undefined,
  },
  signedBy: 'public' as const,
  messagesBy: 'public' as const,
  claims: 'public' as const,
  named: false,
};
