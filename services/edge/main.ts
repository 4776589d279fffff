import { runService } from '../../shared/lifecycle/run.ts';
import { createLogger } from '../../shared/log/logger.ts';
import { readEdgeConfig } from './config.ts';
import { startEdge } from './start-edge.ts';

const log = createLogger(
  'edge',
  process.env['NODE_NAME'] ?? process.env['SITE'] ?? '',
  process.env['LOG_LEVEL'],
);
await runService(log, () => startEdge(readEdgeConfig(process.env), log));
