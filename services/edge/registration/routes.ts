import type { Express, RequestHandler } from 'express';
import { jsonBody } from '../../../shared/http/app.ts';
import { invalidRequest, ProblemError } from '../../../shared/http/problem.ts';
import { DeviceId, Subscription } from '../../../shared/subscription/subscription.ts';
import { createAddressLimit } from './address-limit.ts';
import { limitInFlight, limitPerAddress } from './admission.ts';
import { subscriptionProblems } from './check-subscription.ts';
import { requireSecretHash } from './device-secret.ts';
import { ImportBody, importDevices } from './import-devices.ts';
import { type RegistrationDeps, registerDevice, removeDevice } from './register.ts';

const MAX_BODY_BYTES = 8 * 1024;
const MAX_IMPORT_BYTES = 1024 * 1024;
/** Registrations in flight: each holds a few kilobytes and waits for the buses, 1.5 s at most. */
const MAX_IN_FLIGHT = 128;
const MAX_IMPORTS_IN_FLIGHT = 4;

interface RouteDeps extends RegistrationDeps {
  readonly extraPushOrigins: readonly string[];
  readonly registrationsPerMinute: number;
  /** Lets only the system's own services through. */
  readonly internal: RequestHandler;
}

/** Registration, change and removal of devices by themselves, and the import by operators and probes. */
export function addRegistrationRoutes(app: Express, deps: RouteDeps): void {
  const { events, random } = deps;
  const shed = () => events.registration('shed');
  const perAddress = limitPerAddress(createAddressLimit(deps.registrationsPerMinute), deps);
  // After the body: a client that sends its bytes slowly must not hold a place.
  const inFlight = limitInFlight(MAX_IN_FLIGHT, shed, random);
  const path = '/v1/subscriptions/:deviceId';
  app.put(path, perAddress, jsonBody(MAX_BODY_BYTES), inFlight, put(deps));
  app.delete(path, perAddress, inFlight, remove(deps));
  app.post(
    '/v1/subscriptions\\:import',
    deps.internal,
    limitInFlight(MAX_IMPORTS_IN_FLIGHT, shed, random),
    jsonBody(MAX_IMPORT_BYTES),
    async (request, response) => {
      const body = ImportBody.safeParse(request.body);
      if (!body.success) throw invalidRequest(body.error);
      response.json(await importDevices(body.data, deps.extraPushOrigins, deps));
    },
  );
}

function put(deps: RouteDeps): RequestHandler<{ deviceId: string }> {
  return async (request, response) => {
    await counted(deps, async () => {
      const secretHash = requireSecretHash(request.headers.authorization);
      const body: unknown = request.body;
      const given = typeof body === 'object' && body !== null ? body : {};
      if ('deviceId' in given && given.deviceId !== request.params.deviceId)
        throw new ProblemError(
          400,
          'invalid-request',
          'The body names another device than the address',
        );
      const parsed = Subscription.safeParse({ ...given, deviceId: request.params.deviceId });
      if (!parsed.success) throw invalidRequest(parsed.error);
      const problems = subscriptionProblems(parsed.data, {
        probe: false,
        extraPushOrigins: deps.extraPushOrigins,
      });
      if (problems.length > 0)
        throw new ProblemError(422, 'subscription-refused', 'This subscription cannot be served', {
          errors: problems,
          action: 'Correct the fields named in errors and send again',
        });
      const done = await registerDevice(parsed.data, secretHash, deps);
      deps.events.registration(done.created ? 'created' : 'updated');
      response
        .status(done.created ? 201 : 200)
        .json({ version: done.version, storedBy: done.storedBy });
    });
  };
}

function remove(deps: RouteDeps): RequestHandler<{ deviceId: string }> {
  return async (request, response) => {
    await counted(deps, async () => {
      const secretHash = requireSecretHash(request.headers.authorization);
      const deviceId = DeviceId.safeParse(request.params.deviceId);
      if (!deviceId.success) throw invalidRequest(deviceId.error);
      await removeDevice(deviceId.data, secretHash, deps);
      deps.events.registration('removed');
      response.status(204).end();
    });
  };
}

/** Counts how a request ended that was not done. */
async function counted({ events }: RouteDeps, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ProblemError)
      events.registration(error.problem.status === 503 ? 'unavailable' : 'refused');
    throw error;
  }
}
