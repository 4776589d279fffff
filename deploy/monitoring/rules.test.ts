import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeWhere } from '../../tests/support/describe-where.ts';
import { alertmanagerConfig } from './alertmanager-config.ts';
import { prometheusConfig } from './prometheus-config.ts';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const RUNBOOKS = join(ROOT, 'deploy/runbooks');
const RULES = readdirSync(join(HERE, 'rules')).map((file) => ({
  file,
  text: readFileSync(join(HERE, 'rules', file), 'utf8'),
}));
const ALL_RULES = RULES.map(({ text }) => text).join('\n');
const ALERTS = [...ALL_RULES.matchAll(/^\s+- alert: (\w+)$/gm)].map(([, name = '']) => name);

const namesIn = (pattern: string, folder: string) =>
  execFileSync('git', ['grep', '-hoE', pattern, '--', folder], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .map((line) => line.slice(1, -1));
/** Names in the code that may be a metric's. */
const MADE = new Set([
  ...namesIn("'[a-z]+(_[a-z0-9]+)+'", 'services'),
  ...namesIn("'credential_[a-z_]+'", 'shared'),
]);

const isThere = (program: string) => spawnSync(program, ['--version']).error === undefined;
const noTools =
  isThere('promtool') && isThere('amtool')
    ? undefined
    : 'no promtool or no amtool; Debian: apt-get install prometheus prometheus-alertmanager';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-rules-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** NoProof → no-proof */
function runbookOf(alert: string): string {
  return alert.replaceAll(/(?<!^)([A-Z])/g, '-$1').toLowerCase();
}

test('every alert has a runbook of its own name, and says so', () => {
  expect(ALERTS.length).toBeGreaterThan(20);
  const links = [...ALL_RULES.matchAll(/runbook_url: \/runbooks\/([a-z-]+)$/gm)].map(
    ([, name]) => name,
  );
  expect(links).toEqual(ALERTS.map(runbookOf));
  const written = readdirSync(RUNBOOKS).map((file) => file.replace(/\.md$/, ''));
  expect(written).toEqual(expect.arrayContaining(links));
});

test('every alert stands in the table of docs/monitoring.md, with when it calls', () => {
  const rows = readFileSync(join(ROOT, 'docs/monitoring.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .join('\n');
  expect(ALERTS.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
});

test('every runbook belongs to an alert, or to a word of the on-call page', () => {
  const fromThePage = ['README', 'alert-not-witnessed'];
  const known = new Set([...ALERTS.map(runbookOf), ...fromThePage]);
  const strangers = readdirSync(RUNBOOKS).filter((file) => !known.has(file.replace(/\.md$/, '')));
  expect(strangers).toEqual([]);
});

test('every runbook says what it means, what to look at, what to do and how to prove that it is over', () => {
  for (const file of readdirSync(RUNBOOKS).filter((name) => name !== 'README.md')) {
    const text = readFileSync(join(RUNBOOKS, file), 'utf8');
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    expect({ file, headings }).toEqual({
      file,
      headings: ['Meaning', 'What to look at', 'What to do', 'How to prove that it is over'],
    });
  }
});

test('every metric that a rule reads is made by the code, or by Prometheus itself', () => {
  const read = metricsIn(ALL_RULES.replaceAll(/^\s+(summary|description|runbook_url):.*$/gm, ''));
  expect(read.filter((name) => !isMade(name))).toEqual([]);
  expect(read.length).toBeGreaterThan(12);
});

test('every metric that a runbook tells people to look at is made by the code', () => {
  const texts = readdirSync(RUNBOOKS).map((file) => readFileSync(join(RUNBOOKS, file), 'utf8'));
  const named = metricsIn(texts.join('\n'));
  expect(named.filter((name) => !isMade(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(30);
});

describeWhere(noTools, 'with promtool and amtool', () => {
  test('the rules are well formed', () => {
    const files = RULES.map(({ file }) => join(HERE, 'rules', file));
    expect(() => execFileSync('promtool', ['check', 'rules', ...files])).not.toThrow();
  });

  test.each(RULES.map(({ file }) => file))(
    'P5: rule tests of %s: who is called, and when',
    (file) => {
      expect(testRules(join(HERE, 'rule-tests', file))).toEqual({ passed: true });
    },
  );

  test.each([
    [
      'a rule on age that lets go when the receiver dies',
      'proofs.yml',
      `max by (path) (max_over_time(canary_last_receipt_timestamp_seconds[6h]))`,
      `max by (path) (canary_last_receipt_timestamp_seconds)`,
    ],
    [
      'absence that is waited for twice',
      'proofs.yml',
      `          (time() - max(max_over_time(canary_last_receipt_timestamp_seconds[6h])) > 30 and on() canary:watched_for_60s)
          or on() absent_over_time(canary_last_receipt_timestamp_seconds[60s])`,
      `          (time() - max(canary_last_receipt_timestamp_seconds) > 90)
          or on() absent_over_time(canary_last_receipt_timestamp_seconds[3m])`,
    ],
    [
      'a rule on age that is half a minute too slow',
      'proofs.yml',
      `[6h])) > 30 and`,
      `[6h])) > 60 and`,
    ],
    [
      'a transport that lets go while paths of it are still to be proved',
      'proofs.yml',
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 30s
        keep_firing_for: 90s`,
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 30s`,
    ],
    [
      'a transport that lets go 15 s before the last path of it is proved',
      'proofs.yml',
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 30s
        keep_firing_for: 90s`,
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 30s
        keep_firing_for: 75s`,
    ],
    [
      'the widest word, taken back before the parts that it held back',
      'proofs.yml',
      `keep_firing_for: 150s`,
      `keep_firing_for: 135s`,
    ],
    [
      'a transport called by two judgements, which may both go by what was read long ago',
      'proofs.yml',
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 30s`,
      `transport:canary_proof_age:seconds > 45 and on() canary:watched_for_60s
        for: 15s`,
    ],
    [
      'a path that was never proved taken for unknown',
      'proofs.yml',
      `expr: path:canary_proof_age:seconds > 115 and`,
      `expr: path:canary_proof_age:seconds > 115 and path:canary_last_receipt:timestamp > 0 and`,
    ],
    [
      'a system that has just been started and is given less than 90 s for its first round',
      'proofs.yml',
      `canary_last_receipt_timestamp_seconds[6h] offset 60s`,
      `canary_last_receipt_timestamp_seconds[6h] offset 45s`,
    ],
    [
      'a path that was never proved and is called later than one that died',
      'proofs.yml',
      `canary_last_receipt_timestamp_seconds[6h] offset 60s`,
      `canary_last_receipt_timestamp_seconds[6h] offset 90s`,
    ],
    [
      'the usual burn rate of 99.9 %, which calls for one lost message',
      'proofs.yml',
      `path:canary_bad:ratio_rate1h > 14.4 * 0.005 and path:canary_bad:ratio_rate5m > 14.4 * 0.005
          and sum by (path) (increase(canary_rounds_total{result!="proved"}[1h])) > 4.5`,
      `path:canary_bad:ratio_rate1h > 14.4 * 0.0005`,
    ],
    [
      'a burn rate that calls for the first lost message after a start',
      'proofs.yml',
      `and sum by (path) (increase(canary_rounds_total{result!="proved"}[1h])) > 4.5`,
      '',
    ],
    [
      'a burn rate that calls again for a path that has just come back',
      'proofs.yml',
      `unless max_over_time(path:canary_proof_age:seconds[6m]) > 145`,
      '',
    ],
    [
      'a burn rate that is quicker than the age of a dead path',
      'proofs.yml',
      `[6m]) > 145\n        for: 2m`,
      `[6m]) > 145`,
    ],
    [
      'a stored path whose alarm closes when its canary is gone',
      'proofs.yml',
      `max(max_over_time(canary_stored_last_receipt_timestamp_seconds[6h]))`,
      `max(canary_stored_last_receipt_timestamp_seconds)`,
    ],
    [
      'a push service whose alarm closes when its receivers’ canary is gone',
      'proofs.yml',
      `(max_over_time(canary_receiver_last_receipt_timestamp_seconds{kind="unified-push"}[6h])) > 115`,
      `(canary_receiver_last_receipt_timestamp_seconds{kind="unified-push"}) > 115`,
    ],
    [
      'a false message that is forgotten with the canary that saw it',
      'proofs.yml',
      `max_over_time(canary_negative_total{result="accepted"}[6h])`,
      `canary_negative_total{result="accepted"}`,
    ],
    [
      'a bus rule that waits ten minutes',
      'parts.yml',
      `"site", "(.*)")) == 0\n        for: 1m`,
      `"site", "(.*)")) == 0\n        for: 10m`,
    ],
    [
      'a bus that is ill because one canary cannot reach it',
      'bus.yml',
      `max by (bus, server) (canary_bus_healthy) == 0`,
      `min by (bus, server) (canary_bus_healthy) == 0`,
    ],
    [
      'an ill bus that is paged before its services say that they refuse it',
      'bus.yml',
      `(canary_bus_healthy) == 0\n        for: 2m`,
      `(canary_bus_healthy) == 0\n        for: 30s`,
    ],
    [
      'a server that does not sync, as long as another canary says that it does',
      'bus.yml',
      `min by (bus, server) (canary_bus_sync_always)`,
      `max by (bus, server) (canary_bus_sync_always)`,
    ],
    [
      'a stream without a limit taken for a full one',
      'bus.yml',
      `(canary_bus_stream_limit_bytes > 0)`,
      `canary_bus_stream_limit_bytes`,
    ],
    [
      'the end of a certificate that closes with the process that saw it',
      'credentials.yml',
      `max_over_time(credential_expiry_timestamp_seconds[1h])`,
      `credential_expiry_timestamp_seconds`,
    ],
    [
      'the best of two nodes’ certificates',
      'credentials.yml',
      `min by (credential) (max_over_time`,
      `max by (credential) (max_over_time`,
    ],
    [
      'a page for ever for an API key that nobody uses any more',
      'credentials.yml',
      `{credential=~"api-key-.*"} < 3 * 86400 > -86400`,
      `{credential=~"api-key-.*"} < 3 * 86400`,
    ],
    [
      'one device of many that is refused',
      'credentials.yml',
      `(credential_last_accepted_timestamp_seconds[10m])) > 20`,
      `(credential_last_accepted_timestamp_seconds[10m])) > 0`,
    ],
    [
      'a certificate that was never good',
      'credentials.yml',
      `            or max by (service, node, credential) (max_over_time(credential_last_refused_timestamp_seconds[10m])) > 0
              unless on(service, node, credential) max_over_time(credential_last_accepted_timestamp_seconds[10m]),`,
      `,`,
    ],
    [
      'a test that reached the public and is forgotten with the process that saw it',
      'sends.yml',
      `max_over_time(dispatcher_canary_to_public_total[6h])`,
      `dispatcher_canary_to_public_total`,
    ],
    [
      'an edge whose devices showed a test',
      'sends.yml',
      `          or max by (service, node) (max_over_time(tocsin_edge_canary_to_public_total[6h])) > 0`,
      ``,
    ],
    [
      'two dispatchers’ counts of the same recipients added up',
      'sends.yml',
      `1.1 * max by (transport)`,
      `1.1 * sum by (transport)`,
    ],
    [
      'phones that were off taken for repeats',
      'sends.yml',
      `(dispatcher_alert_recipients_total[25h])`,
      `(dispatcher_alert_recipients_total[1h])`,
    ],
    [
      'a fan-out that is said to stall while it is going on',
      'sends.yml',
      `> 0.1\n        for: 5m`,
      `> 0.1\n        for: 1m`,
    ],
    [
      'a drill that never took place taken for unknown',
      'drills.yml',
      `  - record: kind:canary_drill_age:seconds
        expr: time() - max by (kind) (max_over_time(canary_drill_last_success_timestamp_seconds[6h]))`,
      `  - record: kind:canary_drill_age:seconds
        expr: time() - max by (kind) (max_over_time(canary_drill_last_success_timestamp_seconds[6h]) > 0)`,
    ],
    [
      'the drill of one canary only',
      'drills.yml',
      `time() - max by (kind)`,
      `time() - min by (kind)`,
    ],
    [
      'a drill that failed, said of one that never was',
      'drills.yml',
      `          and on(kind) max by (kind) (canary_drill_last_success_timestamp_seconds) > 0`,
      ``,
    ],
  ])('the rule tests notice %s', (_what, file, right, wrong) => {
    const original = RULES.find((rule) => rule.file === file)?.text ?? '';
    expect(original.split(right)).toHaveLength(2);
    writeFileSync(join(folder, file), original.replace(right, wrong));
    const tests = readFileSync(join(HERE, 'rule-tests', file), 'utf8');
    const noticed = oneByOne(tests.replace(`../rules/${file}`, file)).some((text) => {
      const single = join(folder, `test-${file}`);
      writeFileSync(single, text);
      return !testRules(single).passed;
    });
    expect(noticed).toBe(true);
  });

  test('pages, tickets and the sign of life each go their own way', () => {
    const config = join(folder, 'alertmanager.yml');
    const receivers = {
      pagers: ['http://127.0.0.1:9/one', 'http://127.0.0.1:9/two'],
      tickets: 'http://127.0.0.1:9/tickets',
      deadMan: 'http://127.0.0.1:9/dead-man',
    };
    writeFileSync(config, JSON.stringify(alertmanagerConfig(receivers)));
    expect(() => execFileSync('amtool', ['check-config', config])).not.toThrow();
    const goesTo = (...labels: string[]) =>
      execFileSync('amtool', ['config', 'routes', 'test', `--config.file=${config}`, ...labels], {
        encoding: 'utf8',
      }).trim();
    expect(goesTo('alertname=NoProof', 'severity=page')).toBe('pager');
    expect(goesTo('alertname=CanariesDisagree', 'severity=ticket')).toBe('tickets');
    expect(goesTo('alertname=Watchdog', 'severity=none')).toBe('dead-man');
    // Every alert that there is goes where its severity says.
    const ways = { page: 'pager', ticket: 'tickets', none: 'dead-man' };
    for (const rule of ALL_RULES.split(/^\s+- alert: /m).slice(1)) {
      const [, alert = ''] = /^(\w+)/.exec(rule) ?? [];
      const [, severity = '', scope = ''] = /severity: (\w+), scope: (\w+)/.exec(rule) ?? [];
      const way = goesTo(`alertname=${alert}`, `severity=${severity}`, `scope=${scope}`);
      expect({ alert, way }).toEqual({ alert, way: ways[severity as keyof typeof ways] });
    }
    // What nobody thought of calls somebody.
    expect(goesTo('alertname=Unheard')).toBe('pager');
  });
});

test('a Prometheus that was away judges twice by old data: what it would page for that waits for its third judgement', () => {
  const { global } = prometheusConfig({
    targets: {},
    alertmanagers: [],
    prometheuses: [],
    rules: '',
    replica: 'a',
  });
  const pages = ALL_RULES.split(/^\s+- alert: /m)
    .slice(1)
    .filter((rule) => /severity: page/.test(rule))
    .filter((rule) => /proof_age:seconds|time\(\) -/.test(rule));
  expect(pages.length).toBeGreaterThan(7);
  const seconds = (text = '0s') => Number.parseInt(text, 10) * (text.endsWith('m') ? 60 : 1);
  const waits = (rule: string) => seconds(/^ +for: (\d+[sm])$/m.exec(rule)?.[1]);
  const hasty = pages.filter((rule) => waits(rule) < 2 * seconds(global.evaluation_interval));
  expect(hasty.map((rule) => /^\w+/.exec(rule)?.[0])).toEqual([]);
});

/** Our metrics that a text names, each once; neither what rules record (colons in its name) nor a family (`canary_bus_*`). */
function metricsIn(text: string): readonly string[] {
  const names = text
    .replaceAll(/\b\w+:[\w:]+/g, '')
    .matchAll(/\b(?:canary|credential|ingest|dispatcher|edge|tocsin)_[a-z0-9_]*[a-z0-9]\b/g);
  return [...new Set([...names].map(([name]) => name))];
}

/** Histograms are written by their three series. */
function isMade(name: string): boolean {
  return MADE.has(name) || MADE.has(name.replace(/_(?:bucket|sum|count)$/, ''));
}

/** A file of rule tests as a file for each, shortest first: most mutations are noticed long before the six hours of others. */
function oneByOne(file: string): readonly string[] {
  const [head = '', ...tests] = file.split(/^(?= {2}- name: )/m);
  return tests
    .map((text) => ({ text: head + text, lasts: Math.max(...evalSeconds(text)) }))
    .sort((a, b) => a.lasts - b.lasts)
    .map(({ text }) => text);
}

/** When a test looks, in seconds: `eval_time: 1h2m30s`. */
function evalSeconds(test: string): readonly number[] {
  const times = test.matchAll(/eval_time: (?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?/g);
  return [...times].map(
    ([, hours, minutes, seconds]) =>
      Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0),
  );
}

function testRules(file: string): { passed: boolean; output?: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], {
    encoding: 'utf8',
  });
  return status === 0 ? { passed: true } : { passed: false, output: `${stdout}${stderr}` };
}
