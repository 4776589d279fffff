import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { listen } from '../../shared/http/listen.ts';
import { startMonitoring } from './start-monitoring.ts';

test('another program’s port is refused by its number, and nothing is written: its answers would be taken for our own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-monitoring-'));
  const stranger = await listen((_request, response) => response.end(), {
    host: '127.0.0.1',
    port: 0,
  });
  const started = startMonitoring({
    folder,
    targets: {},
    receivers: { pagers: [], tickets: 'http://127.0.0.1:9/', deadMan: 'http://127.0.0.1:9/' },
    prometheusPort: stranger.port,
    alertmanagerPort: stranger.port,
  });
  await expect(started).rejects.toMatchObject({
    name: 'MonitoringError',
    message: expect.stringContaining(`port ${stranger.port}, which Prometheus needs, is taken`),
  });
  expect(readdirSync(folder)).toEqual([]);
  await stranger.close();
  rmSync(folder, { recursive: true });
});
