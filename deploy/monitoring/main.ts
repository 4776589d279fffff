import { join } from 'node:path';
import { ConfigError } from '../../shared/config/parse-env.ts';
import { readOptions } from '../local/options.ts';
import { isSameProcess } from '../local/process-identity.ts';
import { readRunFile } from '../local/run-file.ts';
import { callLine, startPageReceiver } from './page-receiver.ts';
import { targetsOf } from './prometheus-config.ts';
import { MonitoringError, startMonitoring } from './start-monitoring.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Resolves at the first signal. Stopping takes some seconds at most: a second one changes nothing. */
function untilSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(undefined));
  });
}

async function run(): Promise<void> {
  const { stateDir, portBase } = readOptions(process.env);
  const runFile = readRunFile(join(stateDir, 'run.json'));
  if (runFile === undefined || !isSameProcess(runFile.launcher))
    throw new MonitoringError(
      `nothing runs from ${stateDir}: start make run in another terminal first`,
    );
  const signalled = untilSignal();
  const pages = await startPageReceiver(0, (call) => {
    if (call.kind !== 'dead-man') say(callLine(call));
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
  const why = await Promise.race([signalled, monitoring.ended]);
  await monitoring.close();
  await pages.close();
  if (why !== undefined) throw new MonitoringError(`${why}. Nobody would be called any more`);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof MonitoringError || error instanceof ConfigError)) throw error;
  process.stderr.write(`make monitoring: ${error.message}\n`);
  process.exit(1);
}
