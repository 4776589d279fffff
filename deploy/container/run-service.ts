import { mkdirSync } from 'node:fs';
import { SERVICES, type ServiceKind } from '../local/layout.ts';
import { sandboxEnv, serviceEnv } from '../local/service-env.ts';
import { vapidPublicKey } from '../local/state.ts';
import { CONTAINER_LAYOUT as layout } from './layout.ts';

/** `run-service.ts ingest a` or `run-service.ts sandbox`: that service with the settings that `make run` would give it. */
function settingsOf(kind: string | undefined, siteName: string | undefined) {
  if (kind === 'sandbox') return sandboxEnv(layout);
  const site = layout.sites.find(({ name }) => name === siteName);
  if (!isService(kind) || !site)
    throw new Error('say which service and site: run-service.ts ingest a');
  return serviceEnv(kind, site, { layout, vapidPublicKey: vapidPublicKey(layout.stateDir) });
}

function isService(kind: string | undefined): kind is ServiceKind {
  return (SERVICES as readonly (string | undefined)[]).includes(kind);
}

const [kind, siteName] = process.argv.slice(2);
// What the container itself sets, such as HOST, goes before.
const env = { ...settingsOf(kind, siteName), ...process.env };
mkdirSync(env['DATA_DIR'] ?? '/data', { recursive: true });
Object.assign(process.env, env);
await import(`../../services/${kind}/main.ts`);
