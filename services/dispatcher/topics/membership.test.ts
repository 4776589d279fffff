import { expect, test } from '@jest/globals';
import type { RegistryRecord } from '../../../shared/subscription/registry-record.ts';
import { decideMembership, type Membership } from './membership.ts';
import { keeperOf, watchAway } from './share.ts';

const OWN = { isOwn: true, languages: ['fr', 'en'] };
const OTHERS = { ...OWN, isOwn: false };
const NICE = ['tocsin.public.at-06088.fr', 'tocsin.public.in-06.fr'];
const KNOWN: Membership = { token: 'T1', topics: NICE };

function aRecord(
  areaCodes: string[],
  changes: { token?: string; probe?: boolean; language?: string } = {},
): RegistryRecord {
  const { token = 'T1', probe = false, language = 'fr-FR' } = changes;
  return {
    v: 1,
    state: 'active',
    version: 1,
    probe,
    lastHeardAt: '2026-07-14T20:00:00.000Z',
    subscription: {
      deviceId: 'A'.repeat(22),
      address: { transport: 'fcm', token },
      areaCodes,
      language,
      appVersion: '1',
    },
  };
}
const removed = (reason: 'gone' | 'unsubscribed'): RegistryRecord => ({
  v: 1,
  state: 'removed',
  version: 2,
  deviceId: 'A'.repeat(22),
  reason,
});
const add = (topic: string, token = 'T1') => ({ change: 'add', topic, token });
const remove = (topic: string, token = 'T1') => ({ change: 'remove', topic, token });

test.each<[string, RegistryRecord, Membership | undefined, typeof OWN, unknown]>([
  [
    'a new device joins',
    aRecord(['06088']),
    undefined,
    OWN,
    { next: KNOWN, changes: NICE.map((t) => add(t)) },
  ],
  ['one of another node’s share does not', aRecord(['06088']), undefined, OTHERS, undefined],
  ['P6: a probe never joins', aRecord(['06088'], { probe: true }), undefined, OWN, undefined],
  ['P6: nobody joins in the reserved area', aRecord(['ZZ999']), undefined, OWN, undefined],
  ['nothing changed', aRecord(['06088']), KNOWN, OWN, undefined],
  [
    'another area: what is left is left, what is shared stays, whoever’s share it is',
    aRecord(['06029']),
    KNOWN,
    OTHERS,
    {
      next: { token: 'T1', topics: ['tocsin.public.at-06029.fr', 'tocsin.public.in-06.fr'] },
      changes: [remove('tocsin.public.at-06088.fr'), add('tocsin.public.at-06029.fr')],
    },
  ],
  [
    'another language is other topics',
    aRecord(['06'], { language: 'en-GB' }),
    { token: 'T1', topics: ['tocsin.public.at-06.fr', 'tocsin.public.in-06.fr'] },
    OWN,
    {
      next: { token: 'T1', topics: ['tocsin.public.at-06.en', 'tocsin.public.in-06.en'] },
      changes: [
        remove('tocsin.public.at-06.fr'),
        remove('tocsin.public.in-06.fr'),
        add('tocsin.public.at-06.en'),
        add('tocsin.public.in-06.en'),
      ],
    },
  ],
  [
    'a new token joins; the old one, perhaps of the same installation, is not taken out of what is still wanted',
    aRecord(['06088'], { token: 'T2' }),
    KNOWN,
    OWN,
    { next: { token: 'T2', topics: NICE }, changes: NICE.map((t) => add(t, 'T2')) },
  ],
  [
    'a new token in another area: both leave',
    aRecord(['06029'], { token: 'T2' }),
    KNOWN,
    OWN,
    {
      next: { token: 'T2', topics: ['tocsin.public.at-06029.fr', 'tocsin.public.in-06.fr'] },
      changes: [
        remove('tocsin.public.at-06088.fr', 'T1'),
        remove('tocsin.public.at-06088.fr', 'T2'),
        add('tocsin.public.at-06029.fr', 'T2'),
        add('tocsin.public.in-06.fr', 'T2'),
      ],
    },
  ],
  [
    'who unsubscribes leaves',
    removed('unsubscribed'),
    KNOWN,
    OTHERS,
    { next: undefined, changes: NICE.map((t) => remove(t)) },
  ],
  [
    'P9: who was called gone is forgotten, without a word',
    removed('gone'),
    KNOWN,
    OWN,
    { next: undefined, changes: [] },
  ],
  ['a stranger who left', removed('unsubscribed'), undefined, OWN, undefined],
])('%s', (_what, record, known, rules, expected) => {
  expect(decideMembership(record, known, rules)).toEqual(expected);
});

test('every device has one keeper; only a node that is away leaves its share, and to the others', () => {
  const nodes = ['a', 'b', 'c'];
  const ids = Array.from({ length: 600 }, (_, i) => `${i}`.padStart(22, 'x'));
  const all = ids.map((id) => keeperOf(id, nodes, () => false));
  for (const node of nodes) expect(all.filter((each) => each === node).length).toBeGreaterThan(120);
  for (const [i, id] of ids.entries()) {
    const keeper = keeperOf(id, nodes, (node) => node === 'b');
    expect(keeper).not.toBe('b');
    if (all[i] !== 'b') expect(keeper).toBe(all[i]);
  }
});

test('a peer that restarts keeps its share; one that stays silent for ten minutes does not', () => {
  let isSilent = true;
  const isAway = watchAway(() => isSilent);
  expect([isAway('b', 0), isAway('b', 599_999), isAway('b', 600_000)]).toEqual([
    false,
    false,
    true,
  ]);
  isSilent = false;
  expect(isAway('b', 600_001)).toBe(false);
  isSilent = true;
  expect(isAway('b', 600_002)).toBe(false);
});
