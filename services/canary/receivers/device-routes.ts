import type { Express } from 'express';
import type { KeySet } from '../../../shared/envelope/key-set.ts';
import { jsonBody, textBody } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { invalidRequest, ProblemError } from '../../../shared/http/problem.ts';
import { MAX_RECEIPT_BYTES } from '../../../shared/receipt/signed-receipt.ts';
import type { Handed } from '../receipts/receipt-desk.ts';
import { type DeviceDesk, unknownDevice } from './device-desk.ts';
import { Enrolment } from './device-requests.ts';
import type { ProbeDevices } from './probe-devices.ts';
import type { ReceiverState } from './receiver-log.ts';

interface DeviceRoutesDeps {
  readonly internalToken: string;
  readonly desk: DeviceDesk;
  readonly devices: ProbeDevices;
  readonly states: () => readonly ReceiverState[];
  readonly handIn: (jws: string) => Promise<Handed>;
  /** What a page needs to be a receiver. */
  readonly forPages: {
    readonly canary: string;
    readonly vapidPublicKey: string;
    readonly keySet: KeySet;
    readonly periodSeconds: number;
  };
}

/** What probe pages say to the canary, and what the engineer on call does about them. */
export function addDeviceRoutes(app: Express, deps: DeviceRoutesDeps): void {
  const { desk, devices, forPages } = deps;
  const internal = requireToken(deps.internalToken);
  const json = jsonBody(4 * 1024);
  const jws = textBody(MAX_RECEIPT_BYTES);

  app.get('/v1/probe-keys', (_request, response) => {
    response.set('Cache-Control', 'no-cache').json({ v: 1, ...forPages });
  });
  app.post('/v1/probe-codes', internal, (_request, response) => {
    const { code, expiresMs } = desk.newCode();
    const expiresAt = new Date(expiresMs).toISOString();
    response.status(201).json({ v: 1, code, expiresAt, page: `/probe#${code}` });
  });
  app.get('/v1/probe-devices', internal, (_request, response) => {
    const states = new Map(deps.states().map((state) => [state.name, state]));
    response.json({
      v: 1,
      limit: devices.limit,
      devices: devices.all().map(({ name, label, enrolledAt }) => {
        const { state = 'not-measured', ageMs = null } = states.get(name) ?? {};
        const ageSeconds = ageMs === null ? null : Math.round(ageMs / 1000);
        return { name, label, enrolledAt, state, ageSeconds };
      }),
    });
  });
  app.post('/v1/probe-devices', json, async (request, response) => {
    const enrolment = Enrolment.safeParse(request.body);
    if (!enrolment.success) throw invalidRequest(enrolment.error);
    const { name } = await desk.enrol(enrolment.data);
    response.status(201).json({ v: 1, name, canary: forPages.canary });
  });
  app.put('/v1/probe-devices/:name/address', jws, async (request, response) => {
    await desk.move(String(request.params['name']), bodyOf(request.body));
    response.status(204).end();
  });
  app.delete('/v1/probe-devices/:name', internal, (request, response) => {
    desk.remove(String(request.params['name']));
    response.status(204).end();
  });
  app.post('/v1/probe-receipts', jws, async (request, response) => {
    const handed = await deps.handIn(bodyOf(request.body));
    if (handed.kind !== 'refused') {
      response.json({ v: 1, outcome: handed.kind });
      return;
    }
    if (handed.reason === 'unknown-probe') throw unknownDevice();
    throw new ProblemError(422, 'receipt-refused', 'This receipt does not count', {
      detail: handed.reason,
    });
  });
}

function bodyOf(body: unknown): string {
  if (typeof body === 'string' && body !== '') return body;
  throw new ProblemError(415, 'not-signed', 'The body has to be a signed text', {
    action: 'Send a compact JWS with Content-Type: application/jose',
  });
}
