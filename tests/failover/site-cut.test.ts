import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { brokenByCut } from '../../deploy/demo/cut-figures.ts';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { runCutDemo } from '../../deploy/demo/run-cut-demo.ts';
import { namespacePrefix } from '../../deploy/local/network-plan.ts';
import { missingHere } from '../../deploy/local/site-network.ts';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { describeWhere } from '../support/describe-where.ts';
import { startWholeSystem, type WholeSystem } from '../support/whole-system.ts';

const DEVICES = 300;
const IN_AREA = DEVICES / 5;
/** Per provider: slow enough to cut a site half-way. */
const MESSAGES_PER_SECOND = 15;

function missing(): string | undefined {
  const reason = missingHere();
  if (reason !== undefined) return reason;
  try {
    for (const command of [
      ['ip', 'netns', 'list'],
      ['iptables', '--version'],
      ['nsenter', '--version'],
    ])
      execFileSync(command[0] ?? '', command.slice(1), { stdio: 'ignore', timeout: 5_000 });
    return undefined;
  } catch {
    return 'ip netns, iptables and nsenter are needed';
  }
}

describeWhere(missing(), 'three sites in network namespaces', () => {
  let system: WholeSystem;
  const namespaces = () =>
    execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith(namespacePrefix(system.portBase)));

  beforeAll(async () => {
    system = await startWholeSystem({
      inNamespaces: true,
      extraEnv: { canary: { PERIOD_SECONDS: '20', LIMIT_SECONDS: '4' } },
    });
  }, 120_000);
  afterAll(async () => {
    await system?.close();
    system?.destroy();
  }, 30_000);

  test('P2 P3 P4: a whole site is cut off in mid-alert: everybody gets it once, the Cancel takes it down, and the site catches up without showing anything to anybody', async () => {
    const figures = await runCutDemo(system, 'b', {
      devices: DEVICES,
      messagesPerSecond: MESSAGES_PER_SECOND,
      say: () => undefined,
    });
    expect(brokenByCut(figures)).toEqual([]);
    expect(figures).toMatchObject({
      cutSite: 'b',
      received: IN_AREA,
      shownTwice: 0,
      outsideArea: 0,
      cancelledOnDevices: IN_AREA,
      shownLate: 0,
    });
    // Whoever was through with the alert before the Cancel is done with it; nobody still sends, or never heard of one.
    for (const { site, state } of figures.alertBySite)
      expect([site, ['done', 'cancelled'].includes(state)]).toEqual([site, true]);
    expect(figures.cancelBySite.map(({ site, state }) => `${site} ${state}`)).toEqual([
      'a done',
      'b done',
      'c done',
    ]);
  }, 240_000);

  test('a site that is cut off is out of everybody’s reach until it is healed', async () => {
    const control = urlOf(system, 'control');
    const change = (what: string) =>
      fetchJson(`${control}/sites/${what}`, { schema: z.unknown(), timeoutMs: 5_000, json: {} });
    const answers = (site: string) =>
      fetch(`${urlOf(system, `edge-${site}`)}/live`, { signal: AbortSignal.timeout(2_000) }).then(
        ({ ok }) => ok,
        () => false,
      );
    await change('c/cut');
    expect([await answers('a'), await answers('b'), await answers('c')]).toEqual([
      true,
      true,
      false,
    ]);
    await change('c/heal');
    expect(await answers('c')).toBe(true);
  });

  test('stopping leaves no namespace behind', async () => {
    expect(namespaces()).toHaveLength(5);
    await system.close();
    expect(namespaces()).toEqual([]);
  }, 30_000);
});
