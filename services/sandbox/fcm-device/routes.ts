import type { ProviderRoute } from '../provider-server.ts';
import { CHECK_IN_PATH, createCheckInEndpoint } from './check-in-endpoint.ts';
import { createInstallations, isInstallationsPath } from './installations.ts';
import {
  createRegisterEndpoint,
  MAX_REGISTER_BODY_BYTES,
  REGISTER_PATH,
} from './register-endpoint.ts';

type RegisterDeps = Parameters<typeof createRegisterEndpoint>[0];
type CheckInDeps = Parameters<typeof createCheckInEndpoint>[0];

interface FcmDeviceRoutesDeps
  extends Omit<RegisterDeps, 'installations'>,
    Omit<CheckInDeps, 'store'> {
  readonly db: Parameters<typeof createInstallations>[0];
  readonly projectId: string;
}

/** What a device calls before it listens: check-in, installation, registration. The switches of the providers leave them alone. */
export function createFcmDeviceRoutes(deps: FcmDeviceRoutesDeps): ProviderRoute[] {
  const installations = createInstallations(deps.db, deps);
  return [
    {
      matches: (method, path) => method === 'POST' && path === CHECK_IN_PATH,
      provider: undefined,
      answer: createCheckInEndpoint(deps),
    },
    {
      matches: (method, path) => method === 'POST' && isInstallationsPath(path),
      provider: undefined,
      answer: installations.answer,
    },
    {
      matches: (method, path) => method === 'POST' && path === REGISTER_PATH,
      provider: undefined,
      maxBodyBytes: MAX_REGISTER_BODY_BYTES,
      answer: createRegisterEndpoint({ ...deps, installations }),
    },
  ];
}
