import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { urlOf } from '../../deploy/demo/find-system.ts';
import { until } from '../../deploy/demo/until.ts';
import { tocsinDashboard } from '../../deploy/monitoring/grafana/dashboard.ts';
import { fetchJson, fetchText } from '../../shared/http/fetch-json.ts';
import { CredentialReport, isRefused } from '../../shared/receipt/credential.ts';
import { setFaults, startWholeSystem, type WholeSystem } from '../support/whole-system.ts';

const RULES = resolve(import.meta.dirname, '../../deploy/monitoring/rules');
const OURS = /^(?:canary|credential|dispatcher|edge|ingest|tocsin|nodejs|process)_/;

let system: WholeSystem;
beforeAll(async () => {
  system = await startWholeSystem();
}, 180_000);
afterAll(async () => {
  await system?.close();
  system?.destroy();
}, 60_000);

interface Selector {
  readonly metric: string;
  readonly labels: readonly { readonly name: string; readonly value: string | undefined }[];
}

/** Every metric of ours in an expression, with the labels that it is asked for. */
function selectorsOf(expression: string): Selector[] {
  return [...expression.matchAll(/([a-z][\w:]*)(?:\{([^}]*)\})?/g)].flatMap(
    ([, metric = '', inner]) => {
      if (!OURS.test(metric)) return [];
      const labels = [...(inner ?? '').matchAll(/(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g)].map(
        ([, name = '', how, value]) => ({
          name,
          value: how === '=' || how === '!=' ? value : undefined,
        }),
      );
      return [{ metric, labels }];
    },
  );
}

/** The `expr` of rules, without what people read. */
function ruleExpressions(): string[] {
  return readdirSync(RULES).map((file) =>
    readFileSync(join(RULES, file), 'utf8').replaceAll(
      /^\s*(?:#.*|(?:summary|description|runbook_url|- record|- alert):.*)$/gm,
      '',
    ),
  );
}

function dashboardExpressions(): string[] {
  const found = JSON.stringify(tocsinDashboard()).matchAll(/"expr":("(?:[^"\\]|\\.)*")/g);
  return [...found].map(([, text = '""']) => String(JSON.parse(text)));
}

/** Metric → label → values, over all processes. */
async function scrapeAll(): Promise<Map<string, Map<string, Set<string>>>> {
  const names = Object.keys(system.urls).filter((name) =>
    /^(?:ingest|dispatcher|edge|canary)-/.test(name),
  );
  const texts = await Promise.all(
    names.map((name) => fetchText(`${urlOf(system, name)}/metrics`, { timeoutMs: 10_000 })),
  );
  const metrics = new Map<string, Map<string, Set<string>>>();
  const of = (metric: string) => {
    const labels = metrics.get(metric) ?? new Map<string, Set<string>>();
    metrics.set(metric, labels);
    return labels;
  };
  for (const line of texts.join('\n').split('\n')) {
    const type = /^# TYPE (\S+)/.exec(line);
    if (type?.[1] !== undefined) of(type[1]);
    const series = /^([a-z]\w*)\{(.*)\} /.exec(line);
    for (const [, label = '', value = ''] of (series?.[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)) {
      const labels = of(series?.[1] ?? '');
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}

test('every metric that a rule or a panel reads is exported by some process, with the labels and values that it is asked for', async () => {
  const metrics = await until(
    'everything was measured once',
    { timeoutMs: 90_000, everyMs: 500 },
    async () => {
      const scraped = await scrapeAll();
      const late = [
        'credential_expiry_timestamp_seconds',
        'canary_bus_stream_present',
        'canary_clock_skew_seconds',
      ];
      return late.every((metric) => (scraped.get(metric)?.size ?? 0) > 0) ? scraped : undefined;
    },
  );
  const selectors = [...ruleExpressions(), ...dashboardExpressions()].flatMap(selectorsOf);
  expect(new Set(selectors.map(({ metric }) => metric)).size).toBeGreaterThan(50);
  const wrong = selectors.flatMap(({ metric, labels }) => {
    const known = metrics.get(metric) ?? metrics.get(metric.replace(/_(?:bucket|sum|count)$/, ''));
    if (known === undefined) return [metric];
    return labels
      .filter(
        ({ name, value }) =>
          !known.has(name) || (value !== undefined && !known.get(name)?.has(value)),
      )
      .map(({ name, value }) => `${metric}{${name}="${value ?? '…'}"}`);
  });
  expect([...new Set(wrong)].sort()).toEqual([]);
}, 120_000);

test('what the providers show and accept is told by each dispatcher, behind the internal token', async () => {
  const url = `${urlOf(system, 'dispatcher-a')}/v1/credentials`;
  expect((await fetch(url)).status).toBe(401);
  const options = { schema: CredentialReport, timeoutMs: 5_000, token: system.internalToken };
  const report = await until(
    'both keys were accepted',
    { timeoutMs: 90_000, everyMs: 500 },
    async () => {
      const told = await fetchJson(url, options);
      const keys = told.credentials.filter(({ kind }) => kind === 'push-key');
      return keys.length === 2 && keys.every(({ lastProvedAt }) => lastProvedAt !== undefined)
        ? told
        : undefined;
    },
  );
  expect(report.credentials.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['tls-fcm', 'tls-google-oauth', 'fcm-service-account', 'vapid-own']),
  );
  expect(report.credentials.filter(isRefused)).toEqual([]);
  const days = report.credentials.flatMap(({ expiresAt }) =>
    expiresAt === undefined ? [] : [(Date.parse(expiresAt) - Date.now()) / 86_400_000],
  );
  expect(days.length).toBeGreaterThanOrEqual(2);
  for (const left of days) expect(left).toBeGreaterThan(300);
}, 120_000);

test('both canaries see both buses well, and show what ends on the on-call page', async () => {
  for (const canary of ['canary-a', 'canary-b']) {
    const text = await until(
      `${canary} has looked`,
      { timeoutMs: 60_000, everyMs: 500 },
      async () => {
        const metrics = await fetchText(`${urlOf(system, canary)}/metrics`, { timeoutMs: 10_000 });
        return metrics.match(/^canary_bus_stream_present\{[^}]*\} 1$/gm)?.length === 8
          ? metrics
          : undefined;
      },
    );
    for (const bus of ['a', 'b'])
      for (const metric of ['healthy', 'sync_always'])
        expect(text).toMatch(new RegExp(`^canary_bus_${metric}\\{bus="${bus}",[^}]*\\} 1$`, 'm'));
  }
  const page = async () => fetchText(`${urlOf(system, 'canary-a')}/?lang=en`, { timeoutMs: 5_000 });
  await until('the page shows it', { timeoutMs: 60_000, everyMs: 500 }, async () =>
    (await page()).includes('tls-fcm') ? true : undefined,
  );
}, 120_000);

test('an account that Google withdraws is told of as refused by the dispatcher that shows it, and as accepted when it is back', async () => {
  const fcm = async () => {
    const told = await fetchJson(`${urlOf(system, 'dispatcher-a')}/v1/credentials`, {
      schema: CredentialReport,
      timeoutMs: 5_000,
      token: system.internalToken,
    });
    return told.credentials.find(({ name }) => name === 'fcm-service-account');
  };
  const until90 = (what: string, isSo: (state: Awaited<ReturnType<typeof fcm>>) => boolean) =>
    until(what, { timeoutMs: 90_000, everyMs: 500 }, async () =>
      isSo(await fcm()) ? true : undefined,
    );
  await setFaults(system, { fcm: { denyAuth: 401 } });
  await until90('it is refused', (state) => state !== undefined && isRefused(state));
  await setFaults(system, {});
  await until90('it is accepted again', (state) => state !== undefined && !isRefused(state));
}, 200_000);
