import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { createSigner, createVerifier } from '../../../shared/envelope/signature.ts';
import type { ProbeWitness } from '../../../shared/receipt/proof.ts';
import {
  type ProbeReceipt,
  receiptKeyOf,
  signReceipt,
} from '../../../shared/receipt/signed-receipt.ts';
import { aCanaryAlert } from '../../../tests/support/alert-builder.ts';
import {
  createSigningKey,
  publicHalves,
  signedDeviceMessage,
  testAlert,
} from '../../../tests/support/signed-alerts.ts';
import { createRoundBook } from '../round-book.ts';
import { createWitnessLog } from '../witness-log.ts';
import { createReceiptDesk } from './receipt-desk.ts';

const PATH: CanaryPath = { ingest: 'a', lane: 'bus', dispatcher: 'b', transport: 'web-push' };
const publicKey = createSigningKey('public');
const canaryKey = createSigningKey('canary');
const probeKey = createSigningKey('canary', 'a-web-push');
const strangerKey = createSigningKey('canary', 'a-web-push');
const ID = 'f'.repeat(32);
const RECEIPT: ProbeReceipt = {
  v: 1,
  probe: 'a-web-push',
  transport: 'web-push',
  via: 'b',
  messageId: ID,
  receivedAt: '2026-11-22T10:00:00.000Z',
  nonce: 'nonce-1',
};

function setUp() {
  const clock = { now: 0, wall: Date.now() };
  const proofs: number[] = [];
  const witnessed: ProbeWitness[] = [];
  const book = createRoundBook(() => clock.now);
  book.open('nonce-1', PATH, (latencyMs) => proofs.push(latencyMs));
  const desk = createReceiptDesk({
    book,
    witnesses: createWitnessLog(),
    verifyAlert: createVerifier(publicHalves(publicKey, canaryKey), 'alert'),
    onWitnessed: (witness) => witnessed.push(witness),
    wallNow: () => clock.wall,
  });
  desk.admit(receiptKeyOf('a-web-push', probeKey.x));
  const signed = async (changes: Partial<ProbeReceipt> = {}, key = probeKey) =>
    signReceipt({ ...RECEIPT, ...changes }, await createSigner(key, 'receipt'));
  return { clock, proofs, witnessed, book, desk, signed };
}

test('a receipt that is signed by its receiver, of a round of ours, counts, with the time since the round began', async () => {
  const { desk, signed, proofs, clock } = setUp();
  clock.now = 340;
  expect(await desk.handIn(await signed())).toEqual({ kind: 'counted', probe: 'a-web-push' });
  expect(proofs).toEqual([340]);
});

test('each reason to refuse has its name', async () => {
  const { desk, signed, proofs, clock } = setUp();
  const reason = async (jws: string) => {
    const handed = await desk.handIn(jws);
    return handed.kind === 'refused' ? handed.reason : handed.kind;
  };
  expect(await reason('')).toBe('malformed');
  expect(await reason('x'.repeat(10_000))).toBe('malformed');
  expect(await reason(await signed({}, strangerKey))).toBe('bad-signature');
  expect(await reason(await signed({}, createSigningKey('canary', 'nobody')))).toBe(
    'unknown-probe',
  );
  // Signed by itself, and speaking for another.
  const other = createSigningKey('canary', 'other');
  desk.admit(receiptKeyOf('other', other.x));
  expect(await reason(await signed({}, other))).toBe('malformed');
  // A signature of the same key over something else than a receipt.
  const alert = await createSigner(probeKey, 'alert');
  expect(await reason(await alert(JSON.stringify(RECEIPT)))).toBe('bad-signature');
  expect(await reason(await signed({ nonce: 'not-ours' }))).toBe('unknown-nonce');
  expect(await reason(await signed({ via: 'a' }))).toBe('wrong-dispatcher');
  expect(await reason(await signed({ transport: 'fcm' }))).toBe('wrong-transport');
  expect(proofs).toEqual([]);
  expect(await reason(await signed())).toBe('counted');
  expect(await reason(await signed())).toBe('repeated');
  desk.expel('a-web-push');
  expect(await reason(await signed())).toBe('unknown-probe');
  clock.now = 200_000;
  expect(proofs).toEqual([0]);
});

test('a receipt after the life of its round proves nothing', async () => {
  const { desk, signed, proofs, clock } = setUp();
  clock.now = 101_000;
  expect(await desk.handIn(await signed())).toMatchObject({ reason: 'unknown-nonce' });
  expect(proofs).toEqual([]);
});

test('P5: of any number of altered, replayed and foreign receipts none ever counts', async () => {
  const text = fc.string({ maxLength: 40 });
  const attack = fc.oneof(
    // One letter of a good one is another.
    fc.record({
      kind: fc.constant('altered' as const),
      at: fc.nat(),
      letter: fc.constantFrom(...'ABCabc019-_.'),
    }),
    // Header, payload and signature of different texts.
    fc.record({ kind: fc.constant('spliced' as const), part: fc.nat(2), by: fc.nat(1) }),
    // Well signed, but for a round that is not ours, another dispatcher, another transport.
    fc.record({
      kind: fc.constant('foreign' as const),
      nonce: fc.option(
        text.filter((each) => each.length > 0 && each !== 'nonce-1'),
        { nil: undefined },
      ),
    }),
    fc.record({ kind: fc.constant('wrong-path' as const), via: fc.constantFrom('a', 'c', 'b-2') }),
    fc.record({ kind: fc.constant('stranger' as const) }),
    fc.record({ kind: fc.constant('junk' as const), text }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(attack, { minLength: 1, maxLength: 6 }), async (attacks) => {
      const { desk, signed, proofs } = setUp();
      const good = await signed();
      const others = [await signed({ nonce: 'x' }), await signed({}, strangerKey)];
      for (const each of attacks) {
        const forged = await forge(each, good, others, signed);
        if (forged === good) continue;
        expect(await desk.handIn(forged)).toMatchObject({ kind: 'refused' });
        expect(proofs).toEqual([]);
      }
      // The good one still does, once, however often it is sent.
      const handed = [await desk.handIn(good), await desk.handIn(good), await desk.handIn(good)];
      expect(handed.map(({ kind }) => kind)).toEqual(['counted', 'refused', 'refused']);
      expect(proofs).toHaveLength(1);
    }),
    { numRuns: 200 },
  );
});

type Attack =
  | { kind: 'altered'; at: number; letter: string }
  | { kind: 'spliced'; part: number; by: number }
  | { kind: 'foreign'; nonce: string | undefined }
  | { kind: 'wrong-path'; via: string }
  | { kind: 'stranger' }
  | { kind: 'junk'; text: string };

async function forge(
  attack: Attack,
  good: string,
  others: readonly string[],
  signed: ReturnType<typeof setUp>['signed'],
): Promise<string> {
  switch (attack.kind) {
    case 'altered': {
      const at = attack.at % good.length;
      const forged = `${good.slice(0, at)}${attack.letter}${good.slice(at + 1)}`;
      // The last letter of base64url holds bits that mean nothing: the same bytes are the same receipt.
      return sameBytes(forged, good) ? good : forged;
    }
    case 'spliced': {
      const parts = good.split('.');
      parts[attack.part] = others[attack.by]?.split('.')[attack.part] ?? '';
      return parts.join('.');
    }
    case 'foreign':
      return await signed({ nonce: attack.nonce });
    case 'wrong-path':
      return await signed({ via: attack.via });
    case 'stranger':
      return await signed({}, strangerKey);
    case 'junk':
      return attack.text;
  }
}

function sameBytes(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) =>
    text.split('.').map((part) => Buffer.from(part, 'base64url')),
  );
  return (
    x?.length === y?.length && (x ?? []).every((part, i) => part.equals(y?.[i] ?? Buffer.of(1)))
  );
}

test('P6 P8: a witness needs the alert itself, signed by an ingest for the public, with its own id', async () => {
  const { desk, signed, witnessed, clock } = setUp();
  const alert = testAlert({ identifier: 'real', headline: 'Crue' });
  const jws = await signedDeviceMessage(alert, publicKey);
  const { id } = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString());
  const hand = async (changes: Partial<ProbeReceipt>) =>
    desk.handIn(await signed({ nonce: undefined, ...changes } as Partial<ProbeReceipt>));
  expect(await hand({ alert: jws })).toMatchObject({ reason: 'malformed' });
  const forged = await signedDeviceMessage(alert, createSigningKey('public', publicKey.kid));
  expect(await hand({ alert: forged, messageId: id })).toMatchObject({ reason: 'unsigned' });
  expect(witnessed).toEqual([]);
  expect(await hand({ alert: jws, messageId: id })).toEqual({
    kind: 'witnessed',
    probe: 'a-web-push',
  });
  expect(await hand({ alert: jws, messageId: id })).toMatchObject({ reason: 'repeated' });
  expect(witnessed).toHaveLength(1);
  expect(witnessed[0]).toMatchObject({ alertId: id, probe: 'a-web-push', via: 'b' });
  // A round is no alert to the public, also when a receiver hands it in as one.
  const round = await signedDeviceMessage(
    aCanaryAlert({ identifier: 'round', probes: ['p'] }),
    canaryKey,
  );
  const roundId = JSON.parse(Buffer.from(round.split('.')[1] ?? '', 'base64url').toString()).id;
  expect(await hand({ alert: round, messageId: roundId })).toMatchObject({
    reason: 'wrong-audience',
  });
  expect(witnessed).toHaveLength(1);
  clock.wall += 48 * 3600 * 1000;
  expect(await hand({ alert: jws, messageId: id })).toMatchObject({ reason: 'expired' });
});
