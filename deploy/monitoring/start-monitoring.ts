import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { isFree } from '../local/ports.ts';
import { alertmanagerConfig, type Receivers } from './alertmanager-config.ts';
import { prometheusConfig, type ScrapeTargets } from './prometheus-config.ts';

export interface MonitoringSettings {
  /** Configuration, data and logs are written here. */
  readonly folder: string;
  readonly targets: ScrapeTargets;
  readonly receivers: Receivers;
  readonly prometheusPort: number;
  readonly alertmanagerPort: number;
}

/** Prometheus or Alertmanager did not come up; the message says why and what to do. */
export class MonitoringError extends Error {
  override readonly name = 'MonitoringError';
}

/**
 * Alertmanager believes a Prometheus for four times this after its last word. By default that is a minute, and the sign of
 * life of a dead Prometheus goes on for four.
 */
const RESEND_DELAY = '10s';
const START_LIMIT_MS = 30_000;
/** Within what a clean-up is given. */
const STOP_LIMIT_MS = 3_000;

/**
 * Starts one Prometheus and one Alertmanager on loopback; resolves when both take requests. Rejects with MonitoringError.
 * `ended` resolves with the reason when one of them ends, whoever ended it: from then on nobody is called.
 */
export function startMonitoring(settings: MonitoringSettings) {
  return startWithCleanup(async (cleanup) => {
    const { folder, targets, receivers, prometheusPort, alertmanagerPort } = settings;
    await checkPort('Prometheus', prometheusPort);
    await checkPort('Alertmanager', alertmanagerPort);
    mkdirSync(folder, { recursive: true });
    const prometheusAt = `127.0.0.1:${prometheusPort}`;
    const alertmanagerAt = `127.0.0.1:${alertmanagerPort}`;
    const alertmanagerFile = join(folder, 'alertmanager.yml');
    writeFileSync(alertmanagerFile, JSON.stringify(alertmanagerConfig(receivers), null, 2), {
      // Addresses of pagers are secrets: who has one can call people.
      mode: 0o600,
    });
    const prometheusFile = join(folder, 'prometheus.yml');
    const prometheus = prometheusConfig({
      targets,
      alertmanagers: [alertmanagerAt],
      prometheuses: [prometheusAt],
      rules: join(import.meta.dirname, 'rules/*.yml'),
      replica: 'local',
    });
    writeFileSync(prometheusFile, JSON.stringify(prometheus, null, 2));

    const alertmanager = launch(folder, ALERTMANAGER, [
      `--config.file=${alertmanagerFile}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=${alertmanagerAt}`,
      '--cluster.listen-address=',
    ]);
    cleanup.add('alertmanager', () => end(alertmanager));
    await untilReady('alertmanager', alertmanager, `http://${alertmanagerAt}/-/ready`);
    const server = launch(folder, PROMETHEUS, [
      `--config.file=${prometheusFile}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--rules.alert.resend-delay=${RESEND_DELAY}`,
      `--web.listen-address=${prometheusAt}`,
    ]);
    cleanup.add('prometheus', () => end(server));
    await untilReady('prometheus', server, `http://${prometheusAt}/-/ready`);
    return {
      prometheusUrl: `http://${prometheusAt}`,
      alertmanagerUrl: `http://${alertmanagerAt}`,
      ended: Promise.race([alertmanager.ended, server.ended]),
    };
  });
}

interface Program {
  readonly name: string;
  /** Debian calls Alertmanager prometheus-alertmanager, everybody else alertmanager. */
  readonly files: readonly string[];
}
const PROMETHEUS: Program = { name: 'prometheus', files: ['prometheus'] };
const ALERTMANAGER: Program = {
  name: 'alertmanager',
  files: ['prometheus-alertmanager', 'alertmanager'],
};

/** Which of the two programs is not on PATH, and how to get it; undefined when both are. */
export function missingMonitor(): string | undefined {
  const missing = [PROMETHEUS, ALERTMANAGER].find((program) => find(program) === undefined);
  return missing && notHere(missing);
}

function notHere({ name }: Program): string {
  return `${name} is not on this machine. Debian: apt-get install prometheus prometheus-alertmanager`;
}

function find({ files }: Program): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  return files.flatMap((file) => folders.map((folder) => join(folder, file))).find(existsSync);
}

/** Another program's answer on the port would be taken for our own program's. */
async function checkPort(name: string, port: number): Promise<void> {
  if (await isFree(port)) return;
  throw new MonitoringError(
    `port ${port}, which ${name} needs, is taken: stop that program (another make monitoring?) or choose another PORT_BASE`,
  );
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves with why it ended. */
  readonly ended: Promise<string>;
  /** The same; undefined while it runs. */
  readonly why: () => string | undefined;
}

function launch(folder: string, program: Program, args: readonly string[]): Running {
  const file = find(program);
  if (file === undefined) throw new MonitoringError(notHere(program));
  const logFile = join(folder, `${program.name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(file, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = Promise.withResolvers<string>();
  let why: string | undefined;
  const end = (reason: string) => {
    why = reason;
    ended.resolve(reason);
  };
  child.once('error', ({ message }) => end(`${program.name} could not be started: ${message}`));
  child.once('exit', (code, signal) =>
    end(`${program.name} ended (${code ?? signal}); its log is ${logFile}`),
  );
  return { child, ended: ended.promise, why: () => why };
}

async function untilReady(name: string, program: Running, url: string): Promise<void> {
  for (const endMs = Date.now() + START_LIMIT_MS; Date.now() < endMs; await sleep(100)) {
    const why = program.why();
    if (why !== undefined) throw new MonitoringError(why);
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
  }
  throw new MonitoringError(`${name} is not ready after ${START_LIMIT_MS / 1000} s at ${url}`);
}

async function end({ child, ended, why }: Running): Promise<void> {
  if (why() !== undefined) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(timer);
}
