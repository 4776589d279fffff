import { runService } from '../../shared/lifecycle/run.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { readConfig } from './config.ts';
import { startCanary } from './start-canary.ts';

try {
  const config = readConfig(process.env);
  const log = createLogger('canary', config.nodeName, config.logLevel);
  await runService(log, () => startCanary(config, log));
} catch (error) {
  process.stderr.write(`canary: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
