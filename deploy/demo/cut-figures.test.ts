import { expect, test } from '@jest/globals';
import type { CrowdCounts, CrowdReport } from './crowd.ts';
import { brokenByCut, type CutFigures, cutFigures, cutTable } from './cut-figures.ts';
import type { DemoFigures } from './figures.ts';

const NOBODY: CrowdCounts = {
  devices: 100,
  acceptedMessages: 0,
  received: 0,
  shown: 0,
  shownTwice: 0,
  takenDown: 0,
  repeats: 0,
  firstMs: null,
  lastMs: null,
  byNode: {},
};
const report = (inside: Partial<CrowdCounts>): CrowdReport => ({
  inside: { ...NOBODY, ...inside },
  outside: NOBODY,
  areas: [],
});
const transport = { devices: 50, accepted: 50, received: 50, firstMs: 1, lastMs: 2 };
const whole: DemoFigures = {
  alertId: '1',
  devicesInArea: 100,
  accepted: 100,
  received: 100,
  shownTwice: 0,
  outsideArea: 0,
  firstMs: 1,
  lastMs: 2,
  killedNode: 'b',
  killedAtPercent: 50,
  repeatsOnTheWire: 3,
  perTransport: { fcm: transport, 'web-push': transport },
  perNode: { a: 60, b: 40 },
  probes: { received: 4, total: 4 },
  cancelledOnDevices: 100,
};
const deed = { site: 'b', state: 'cancelled', lanes: ['bus'], accepted: 40 };
const facts = {
  cutSite: 'b',
  cancelId: '2',
  cutForMs: 10_000,
  caughtUpAfterMs: 4_000 as number | null,
  alertBySite: [deed],
  cancelBySite: [{ ...deed, state: 'done', lanes: [], accepted: 0 }],
};
const before = { received: 100, shown: 100, repeats: 3, takenDown: 100 };

function played(after: Partial<CrowdCounts>, changes: Partial<typeof facts> = {}): CutFigures {
  return cutFigures(
    whole,
    { ...facts, ...changes },
    {
      alertBefore: report(before),
      alertAfter: report({ ...before, ...after }),
      cancelBefore: report({ received: 100 }),
      cancelAfter: report({ received: 100, repeats: 5 }),
    },
  );
}

test('copies that come after healing are counted; while no device shows them nothing is broken', () => {
  const figures = played({ repeats: 10 });
  expect([figures.lateCopies, figures.lateCancelCopies, figures.shownLate]).toEqual([7, 5, 0]);
  expect(brokenByCut(figures)).toEqual([]);
});

test.each<[string, Partial<CrowdCounts>, Partial<typeof facts>, string[]]>([
  ['shown again', { shownTwice: 2 }, {}, ['P4: 2 devices', 'P3: 2 devices']],
  ['shown for the first time', { shown: 101 }, {}, ['P3: 1 devices']],
  ['not caught up', {}, { caughtUpAfterMs: null }, ['site b did not catch up']],
])('after healing: %s is broken', (_what, after, changes, problems) => {
  const broken = brokenByCut(played(after, changes));
  expect(broken).toHaveLength(problems.length);
  problems.forEach((problem, i) => {
    expect(broken[i]).toContain(problem);
  });
});

test('the table says what each site did, and how it came to know', () => {
  const text = cutTable(played({}));
  expect(text).toMatch(/site b cut off at +50 % of the devices/);
  expect(text).toMatch(/alert in site b \(was cut off\) +cancelled; came by bus; 40 sent/);
  expect(text).toMatch(/cancel in site b \(was cut off\) +done; came from a peer; 0 sent/);
});
