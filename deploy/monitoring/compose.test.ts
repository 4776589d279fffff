import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { z } from 'zod';
import { describeWhere } from '../../tests/support/describe-where.ts';
import { CONTAINER_LAYOUT } from '../container/layout.ts';
import { urlsOf } from '../local/urls.ts';
import {
  MONITORING_PORTS,
  monitoringFiles,
  RULES_GLOB,
  receiversFrom,
} from './monitoring-files.ts';
import { targetsOf } from './prometheus-config.ts';

jest.setTimeout(60_000);

const DEPLOY = resolve(import.meta.dirname, '..');
const answers = (program: string, ...args: string[]) => {
  const { error, status } = spawnSync(program, args, { timeout: 20_000 });
  return error === undefined && status === 0;
};
const noCompose = answers('docker', 'compose', 'version') ? undefined : 'no docker compose';
const noTools =
  answers('promtool', '--version') && answers('amtool', '--version')
    ? undefined
    : 'no promtool or no amtool; Debian: apt-get install prometheus prometheus-alertmanager';

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      network_mode: z.string().optional(),
      command: z.array(z.string()).nullish(),
      volumes: z.array(z.object({ source: z.string(), target: z.string() })).optional(),
      ports: z
        .array(z.object({ target: z.int(), published: z.string(), host_ip: z.string() }))
        .optional(),
    }),
  ),
});

describeWhere(noCompose, 'docker compose', () => {
  test('the file is whole: Prometheus, Alertmanager and Grafana by name and version, beside the services, on loopback alone', () => {
    const text = execFileSync(
      'docker',
      ['compose', '-f', join(DEPLOY, 'compose.yaml'), 'config', '--format', 'json'],
      { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: tmpdir() } },
    );
    const { services } = Compose.parse(JSON.parse(text));
    for (const name of ['prometheus', 'alertmanager', 'grafana']) {
      expect(services[name]?.image).toMatch(/^[a-z]+\/[a-z]+:v?\d+\.\d+\.\d+$/);
      expect(services[name]?.network_mode).toBe('service:network');
    }
    const { ports = [] } = services['network'] ?? {};
    expect(ports.every(({ host_ip }) => host_ip === '127.0.0.1')).toBe(true);
    const published = ports.map(({ target }) => target);
    const { prometheus, alertmanager, grafana, pages } = MONITORING_PORTS;
    const { sandbox } = CONTAINER_LAYOUT;
    const reached = [prometheus, alertmanager, grafana, ...Object.values(sandbox)];
    expect(published).toEqual(expect.arrayContaining(reached));
    expect(published).not.toContain(pages);
    expect(services['prometheus']?.command?.join(' ')).toContain(`:${prometheus}`);
    expect(services['alertmanager']?.command?.join(' ')).toContain(`:${alertmanager}`);
    const rules = services['prometheus']?.volumes?.find(({ target }) =>
      RULES_GLOB.startsWith(target),
    );
    expect(rules?.source).toBe(join(DEPLOY, 'monitoring/rules'));
  });
});

test('who is called is a setting; what is not set is printed', () => {
  expect(
    receiversFrom({ PAGER_URLS: 'https://one.example/x,https://two.example/y', TICKETS_URL: '' }),
  ).toEqual({
    pagers: ['https://one.example/x', 'https://two.example/y'],
    tickets: 'http://127.0.0.1:8497/ticket',
    deadMan: 'http://127.0.0.1:8497/dead-man',
  });
});

describeWhere(noTools, 'promtool and amtool', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tocsin-compose-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('what the containers are given is a configuration, with every service of both sites in it', () => {
    cpSync(join(DEPLOY, 'monitoring/rules'), join(folder, 'rules'), { recursive: true });
    const files = monitoringFiles(
      targetsOf(urlsOf(CONTAINER_LAYOUT)),
      {},
      join(folder, 'rules/*.yml'),
    );
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const checked = execFileSync('promtool', ['check', 'config', join(folder, 'prometheus.yml')], {
      encoding: 'utf8',
    });
    expect(checked).toContain('rules found');
    execFileSync('amtool', ['check-config', join(folder, 'alertmanager.yml')]);
    for (const port of [8401, 8402, 8403, 8404, 8411, 8412, 8413, 8414])
      expect(files['prometheus.yml']).toContain(`127.0.0.1:${port}`);
  });
});
