import { mkdirSync } from 'node:fs';
import { filesOf } from '../local/layout.ts';
import { prepareState } from '../local/state.ts';
import { makeStateDir } from '../local/state-file.ts';
import { CONTAINER_LAYOUT as layout } from './layout.ts';

const files = filesOf(layout.stateDir);
makeStateDir(layout.stateDir);
prepareState(layout, Date.now());
for (const { name } of layout.sites) mkdirSync(files.natsStore(name), { recursive: true });
process.stdout.write(`keys, certificates and settings are in ${layout.stateDir}\n`);
