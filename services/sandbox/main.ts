import { runService } from '../../shared/lifecycle/run.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { readConfig } from './config.ts';
import { startSandbox } from './start-sandbox.ts';

const log = createLogger('sandbox', 'sandbox', process.env['LOG_LEVEL']);

await runService(log, async () => startSandbox(readConfig(process.env), log));
