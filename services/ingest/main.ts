import { runService } from '../../shared/lifecycle/run.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { readIngestConfig } from './config.ts';
import { startIngest } from './start-ingest.ts';

const log = createLogger(
  'ingest',
  process.env['NODE_NAME'] ?? process.env['SITE'] ?? 'unnamed',
  process.env['LOG_LEVEL'],
);
await runService(log, () => startIngest(readIngestConfig(process.env), log));
