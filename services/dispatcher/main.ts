import { runService } from '../../shared/lifecycle/run.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { readConfig } from './config.ts';
import { startDispatcher } from './start-dispatcher.ts';

const config = readConfig(process.env);
const log = createLogger('dispatcher', config.NODE_NAME, config.LOG_LEVEL);
await runService(log, () => startDispatcher(config, log));
