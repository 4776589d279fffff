import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { startCli } from '../start-cli.ts';

const PlanAnswer = z.object({
  plans: z.array(
    z.object({
      projects: z.number(),
      plan: z.object({ fcm: z.object({ lastSeconds: z.number() }) }),
    }),
  ),
});

async function runPlan(language: string, ...args: string[]) {
  const said = { out: '', err: '' };
  const terminal = {
    out: (text: string) => {
      said.out += text;
    },
    err: (text: string) => {
      said.err += text;
    },
    isInteractive: false,
    columns: 100,
    ask: () => Promise.resolve(''),
  };
  const code = await startCli(['plan', '--lang', language, ...args], {
    terminal,
    env: {},
    now: () => 0,
    sleep: () => Promise.resolve(),
  });
  return { code, ...said };
}

test('plan says for each number of projects when the last device would have its alert, in both languages', async () => {
  const english = await runPlan('en', '--audience', '1_000_000', '--projects', '1,2');
  expect(english.code).toBe(0);
  expect(english.out).toContain('1 FCM project\n');
  expect(english.out).toContain('2 FCM projects\n');
  expect(english.out).toMatch(/FCM +800,000 .+ quota\n/);
  const french = await runPlan('fr', '--audience', '1000000', '--projects', '1');
  expect(french.out).toMatch(/FCM +800\u00a0000 .+ quota\n/);
});

test('plan as JSON is what programs read: twice the projects, half the time', async () => {
  const args = ['--audience', '2000000', '--fcm-share', '1', '--projects', '1,2', '--ramp', '0'];
  const { out } = await runPlan('en', ...args, '--json', '--node-rate', '100000');
  const { plans } = PlanAnswer.parse(JSON.parse(out));
  expect(plans.map(({ projects }) => projects)).toEqual([1, 2]);
  const [one, two] = plans.map(({ plan }) => plan.fcm.lastSeconds);
  expect(one).toBeGreaterThan(195);
  expect(one).toBeLessThan(205);
  expect(two).toBeCloseTo((one ?? 0) / 2, 0);
});

test('plan names everything that is wrong at once, and needs neither configuration nor system', async () => {
  const wrong = await runPlan('en', '--audience', 'many', '--fcm-share', '80', '--nodes', '0');
  expect(wrong.code).toBe(2);
  for (const option of ['--audience', '--fcm-share', '--nodes'])
    expect(wrong.err).toContain(option);
  expect(wrong.err).not.toContain('--projects');
});
