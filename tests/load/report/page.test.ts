import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mustTable, withBlock } from './page.ts';
import { curvesPlot } from './plot.ts';
import { atLeast, atMost, seconds } from './section.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../docs/benchmarks.md'), 'utf8');

test.each([
  'must',
  'encryption',
  'web-push',
  'fcm',
  'limit',
  'alert',
  'ingest',
  'replicas',
  'stuck',
  'profile',
])('docs/benchmarks.md has a place for %s, and what stands around it stays', (name) => {
  const once = withBlock(PAGE, name, 'first');
  const twice = withBlock(once, name, 'second');
  expect(once).toContain(`<!-- begin ${name} -->\n\nfirst\n\n<!-- end ${name} -->`);
  expect(twice).toBe(once.replace('first\n\n<!--', 'second\n\n<!--'));
  expect(twice).toContain('## What it does not show');
});

test('a page without the place is not written', () => {
  expect(() => withBlock('# Benchmarks', 'fcm', 'x')).toThrow('no place for fcm');
});

test('a promise says whether it was reached, and that it was not measured when it was not', () => {
  const table = mustTable([
    atLeast('rate', 10, 12.3),
    atLeast('rate', 10, 9.99),
    atMost('last device', 15, 15, seconds),
    atMost('last device', 15, undefined, seconds),
  ]);
  const rows = table.split('\n').slice(2);
  expect(
    rows.map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .slice(3, 5),
    ),
  ).toEqual([
    ['×12', 'reached'],
    ['×9.99', '**not reached**'],
    ['15.0 s', 'reached'],
    ['–', 'not measured'],
  ]);
});

test('a plot of shares over time is a picture with a title, a line and a name for each curve', () => {
  const points = [
    { seconds: 0, share: 0 },
    { seconds: 2.5, share: 1 },
  ];
  const { svg, alt } = curvesPlot('Share of devices & more', [{ name: 'killed', points }], 'x.svg');
  expect(alt).toBe('Share of devices & more');
  expect(svg).toContain('<title>Share of devices &amp; more</title>');
  expect(svg.match(/<polyline/g)).toHaveLength(1);
  expect(svg).toContain('>killed</text>');
  expect(svg).not.toContain('NaN');
});
