import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../local/layout.ts';
import { prepareState } from '../local/state.ts';
import { makeStateDir } from '../local/state-file.ts';
import { urlsOf } from '../local/urls.ts';
import { monitoringFiles } from '../monitoring/monitoring-files.ts';
import { targetsOf } from '../monitoring/prometheus-config.ts';
import { CONTAINER_LAYOUT as layout } from './layout.ts';

const files = filesOf(layout.stateDir);
makeStateDir(layout.stateDir);
prepareState(layout, Date.now());
for (const { name } of layout.sites) mkdirSync(files.natsStore(name), { recursive: true });
const monitoring = join(layout.stateDir, 'monitoring');
for (const folder of ['prometheus', 'alertmanager', 'grafana'])
  mkdirSync(join(monitoring, folder), { recursive: true });
// Addresses of pagers are secrets: who has one can call people.
for (const [name, text] of Object.entries(monitoringFiles(targetsOf(urlsOf(layout)), process.env)))
  writeFileSync(join(monitoring, name), text, { mode: 0o600 });
process.stdout.write(`keys, certificates and settings are in ${layout.stateDir}\n`);
