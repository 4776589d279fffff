import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { reachOf } from '../../../shared/alert/area.ts';
import { isInReach } from '../recipient-query.ts';
import { topicLanguage, topicsOfAreas, topicsOfReach } from './topic-name.ts';

test.each([
  [['06088'], ['tocsin.public.at-06088.fr', 'tocsin.public.in-06.fr']],
  [['06'], ['tocsin.public.at-06.fr', 'tocsin.public.in-06.fr']],
  [
    ['06088', '06029', '2A004'],
    [
      'tocsin.public.at-06029.fr',
      'tocsin.public.at-06088.fr',
      'tocsin.public.at-2A004.fr',
      'tocsin.public.in-06.fr',
      'tocsin.public.in-2A.fr',
    ],
  ],
  [['97411'], ['tocsin.public.at-97411.fr', 'tocsin.public.in-974.fr']],
])('who chose %j is in %j', (areas, topics) => {
  expect(topicsOfAreas(areas, 'fr')).toEqual(topics);
});

test('P6: the reserved area has no topic, for devices and for alerts', () => {
  expect(topicsOfAreas(['ZZ999'], 'fr')).toEqual([]);
  expect(topicsOfReach(reachOf(['ZZ999']), ['fr'])).toEqual([]);
});

test.each([
  ['fr-FR', 'fr'],
  ['fr-BE', 'fr'],
  ['en-US', 'en'],
  ['de-DE', 'fr'],
])('a device that speaks %s is in the topics in %s', (language, topic) => {
  expect(topicLanguage(language, ['fr', 'en'])).toBe(topic);
});

test('an alert to a commune goes to the commune and to who chose its department, in each language', () => {
  expect(topicsOfReach(reachOf(['06088']), ['fr', 'en'])).toEqual([
    { topic: 'tocsin.public.at-06.fr', language: 'fr' },
    { topic: 'tocsin.public.at-06088.fr', language: 'fr' },
    { topic: 'tocsin.public.at-06.en', language: 'en' },
    { topic: 'tocsin.public.at-06088.en', language: 'en' },
  ]);
});

test('a department takes one topic for each language, whichever of its communes are named beside it', () => {
  expect(topicsOfReach(reachOf(['06', '06088']), ['fr'])).toEqual([
    { topic: 'tocsin.public.in-06.fr', language: 'fr' },
  ]);
});

test('topics reach exactly whom addresses reach', () => {
  const code = fc.constantFrom(
    '06',
    '06088',
    '06029',
    '13',
    '13055',
    '13201',
    '13202',
    '2A',
    '2A004',
    '974',
    '97411',
  );
  const codes = fc.uniqueArray(code, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(codes, codes, (areas, alertAreas) => {
      const reach = reachOf(alertAreas);
      const sentTo = topicsOfReach(reach, ['fr']).map(({ topic }) => topic);
      const isReached = topicsOfAreas(areas, 'fr').some((topic) => sentTo.includes(topic));
      expect(isReached).toBe(isInReach(areas, reach));
      for (const topic of sentTo) expect(topic).toMatch(/^[a-zA-Z0-9-_.~%]+$/);
    }),
  );
});
