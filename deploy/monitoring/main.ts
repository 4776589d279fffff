import { join } from 'node:path';
import { readOptions } from '../local/options.ts';
import { isSameProcess } from '../local/process-identity.ts';
import { readRunFile } from '../local/run-file.ts';
import { startPageReceiver } from './page-receiver.ts';
import { targetsOf } from './prometheus-config.ts';
import { MonitoringError, startMonitoring } from './start-monitoring.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

async function run(): Promise<void> {
  const { stateDir, portBase } = readOptions(process.env);
  const runFile = readRunFile(join(stateDir, 'run.json'));
  if (runFile === undefined || !isSameProcess(runFile.launcher))
    throw new MonitoringError(
      `nothing runs from ${stateDir}: start make run in another terminal first`,
    );
  const pages = await startPageReceiver(0, ({ kind, status, alert, summary }) => {
    if (kind !== 'dead-man')
      say(`${new Date().toISOString().slice(11, 19)} ${kind} ${status}: ${alert} · ${summary}`);
  });
  const monitoring = await startMonitoring({
    folder: join(stateDir, 'monitoring'),
    targets: targetsOf(runFile.urls),
    receivers: pages.receivers,
    prometheusPort: portBase + 94,
    alertmanagerPort: portBase + 95,
  });
  say(`Prometheus    ${monitoring.prometheusUrl}/alerts`);
  say(`Alertmanager  ${monitoring.alertmanagerUrl}/#/alerts`);
  say('Pages and tickets are printed here. Ctrl-C stops both.');
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await monitoring.close();
  await pages.close();
}

try {
  await run();
} catch (error) {
  if (!(error instanceof MonitoringError)) throw error;
  process.stderr.write(`make monitoring: ${error.message}\n`);
  process.exit(1);
}
