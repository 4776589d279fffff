import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { setFaults, startWholeSystem, type WholeSystem } from '../support/whole-system.ts';

jest.setTimeout(180_000);

let system: WholeSystem;

beforeAll(async () => {
  system = await startWholeSystem({ extraEnv: { canary: { PERIOD_SECONDS: '6' } } });
});

afterAll(async () => {
  await system?.close();
  system?.destroy();
});

const METRIC = 'canary_receiver_last_receipt_timestamp_seconds';

async function metrics(canary: string): Promise<string> {
  return await (await fetch(`${urlOf(system, canary)}/metrics`)).text();
}

/** Seconds since the receiver's last receipt; undefined: never. */
async function receiverAge(canary: string, probe: string): Promise<number | undefined> {
  const line = (await metrics(canary))
    .split('\n')
    .find((each) => each.startsWith(`${METRIC}{probe="${probe}"`));
  const at = Number(line?.split(' ').at(-1));
  return at > 0 ? Date.now() / 1000 - at : undefined;
}

/** 1 while the probe holds its connection. */
async function connectedOf(probe: string): Promise<number | undefined> {
  const lines = (await metrics('canary-a')).split('\n');
  const line = lines.find((each) => each.startsWith(`canary_probe_connected{probe="${probe}"`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

const page = async () =>
  (await (await fetch(`${urlOf(system, 'canary-a')}/?lang=fr`)).text()).replaceAll('\u00a0', ' ');

const soon = { timeoutMs: 60_000, everyMs: 200 };

test('a UnifiedPush receiver of each canary proves its age through real dispatchers', async () => {
  for (const name of ['a', 'b'])
    await until(`canary ${name} hears by UnifiedPush`, soon, async () => {
      const age = await receiverAge(`canary-${name}`, `${name}-unified-push`);
      return age !== undefined && age < 6 ? true : undefined;
    });
  expect(await metrics('canary-a')).toMatch(
    /canary_receiver_last_receipt_timestamp_seconds\{probe="a-unified-push",kind="unified-push"/,
  );
  expect(await connectedOf('a-unified-push')).toBe(1);
  expect(await page()).not.toContain('Récepteur muet');
});

test.each([
  ['switched off', { down: true }, 0],
  ['a black hole that answers 200', { blackHole: true }, 1],
])(
  'P5: the push service %s is seen as dead and named, while every path stays proved',
  async (_what, unifiedPush, connected) => {
    await setFaults(system, { unifiedPush });
    await until('the page names it', soon, async () =>
      (await page()).includes('Récepteur muet : UnifiedPush (service auto-hébergé) a-unified-push')
        ? true
        : undefined,
    );
    expect(await receiverAge('canary-a', 'a-unified-push')).toBeGreaterThan(14);
    await until('its connection tells which of the two it is', soon, async () =>
      (await connectedOf('a-unified-push')) === connected ? true : undefined,
    );
    // The age of the receiver that proves the paths, on the big push service, has stayed young.
    expect(await receiverAge('canary-a', 'a-web-push')).toBeLessThan(9);
    const answer = await fetch(`${urlOf(system, 'canary-a')}/v1/paths`);
    const { summary } = (await answer.json()) as { summary: { provedPaths: number } };
    expect(summary.provedPaths).toBeGreaterThan(12);

    await setFaults(system, {});
    await until('it is proved again', soon, async () => {
      const age = await receiverAge('canary-a', 'a-unified-push');
      return age !== undefined && age < 6 ? true : undefined;
    });
    await until('the page takes it back', soon, async () =>
      (await page()).includes('Récepteur muet') ? undefined : true,
    );
  },
);
