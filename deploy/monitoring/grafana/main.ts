import { writeFileSync } from 'node:fs';
import { tocsinDashboard } from './dashboard.ts';

/** Writes the dashboard as Grafana reads it; a test compares the file with the code. */
const file = new URL('tocsin.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(tocsinDashboard(), null, 2)}\n`);
process.stdout.write('deploy/monitoring/grafana/tocsin.json written\n');
