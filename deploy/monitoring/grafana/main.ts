import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tocsinDashboard } from './dashboard.ts';
import { provisioningFiles } from './provisioning.ts';

/** Writes the dashboard and its provisioning as Grafana reads them; a test compares the files with the code. */
const files = { 'tocsin.json': tocsinDashboard(), ...provisioningFiles() };
for (const [name, content] of Object.entries(files)) {
  const file = join(import.meta.dirname, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  process.stdout.write(`deploy/monitoring/grafana/${name} written\n`);
}
