import type { Express } from 'express';
import { z } from 'zod';
import { AlertId } from '../../shared/alert/alert-id.ts';
import { AreaCode } from '../../shared/alert/area.ts';
import { CommaList } from '../../shared/config/parse-env.ts';
import { type AppDeps, createApp, finishApp, jsonBody } from '../../shared/http/app.ts';
import { invalidRequest, ProblemError } from '../../shared/http/problem.ts';
import type { CrowdReceipts } from './crowd-receipts.ts';
import { CrowdSetup } from './crowd-setup.ts';
import type { Crowds } from './crowds.ts';
import { type FaultSwitches, Faults } from './faults.ts';
import { FCM_TOKEN_STATES, type FcmDevices } from './fcm-devices.ts';
import { addFcmTopicRoutes } from './fcm-topic-routes.ts';
import type { FcmTopics } from './fcm-topics.ts';
import type { ProviderStats } from './provider-stats.ts';

interface ControlDeps extends AppDeps {
  readonly faults: FaultSwitches;
  /** The certificates that there are. */
  readonly certificates: readonly string[];
  readonly fcmDevices: FcmDevices;
  readonly topics: FcmTopics;
  readonly crowds: Crowds;
  readonly receipts: CrowdReceipts;
  readonly stats: ProviderStats;
}

const TokenChange = z.strictObject({ state: z.enum(FCM_TOKEN_STATES) });
const ReportQuery = z.strictObject({
  alert: AlertId,
  areas: CommaList.pipe(z.array(AreaCode).max(1300)),
});

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error);
}

/** The control port: switches of the faults, FCM devices, crowds and counts. For tests and the demo, on loopback. */
export function createControlApp(deps: ControlDeps): Express {
  const app = createApp(deps);
  app.use(jsonBody(256 * 1024));
  addFaultRoutes(app, deps);
  addFcmTokenRoutes(app, deps);
  addFcmTopicRoutes(app, deps);
  addCrowdRoutes(app, deps);
  app.get('/stats', (_request, response) => {
    response.json({
      ...deps.stats.read(),
      crowds: { waiting: deps.crowds.waiting, receipts: deps.receipts.counts },
    });
  });
  finishApp(app, deps.log);
  return app;
}

function addFaultRoutes(app: Express, { faults, certificates, log }: ControlDeps): void {
  app.get('/faults', (_request, response) => {
    response.json(faults.current());
  });
  app.put('/faults', (request, response) => {
    const next = parse(Faults, request.body);
    const lacking = [next.fcm, next.webPush].find(
      (each) => !certificates.includes(each.certificate),
    );
    if (lacking)
      throw new ProblemError(
        409,
        'no-such-certificate',
        `There is no ${lacking.certificate} certificate`,
        {
          action: 'Start the sandbox with TLS_EXPIRED_FILE and TLS_WRONG_NAME_FILE',
        },
      );
    faults.set(next);
    log.info({ faults: next }, 'fault switches set');
    response.json(next);
  });
}

function addFcmTokenRoutes(app: Express, { fcmDevices }: ControlDeps): void {
  app.post('/fcm/tokens', (_request, response) => {
    response.status(201).json({ token: fcmDevices.register() });
  });
  app.put('/fcm/tokens/:token', (request, response) => {
    const { state } = parse(TokenChange, request.body);
    if (!fcmDevices.setState(request.params.token, state))
      throw new ProblemError(404, 'unknown-token', 'No such FCM device was registered here');
    response.status(204).end();
  });
}

function addCrowdRoutes(app: Express, { crowds, log }: ControlDeps): void {
  const unknown = (name: string) =>
    new ProblemError(404, 'unknown-crowd', `There is no crowd named ${name.slice(0, 40)}`);
  app.get('/crowds', (_request, response) => {
    response.json({ crowds: crowds.list() });
  });
  app.post('/crowds', async (request, response) => {
    const setup = parse(CrowdSetup, request.body);
    const made = await crowds.make(setup);
    if (made === 'exists')
      throw new ProblemError(409, 'crowd-exists', 'A crowd of this name has other devices', {
        action: 'Choose another name, or DELETE /crowds/{name} first',
      });
    const subscriptions = crowds.subscriptions(setup.name) ?? [];
    log.info({ crowd: setup.name, devices: subscriptions.length, made }, 'crowd is live');
    response.status(made === 'made' ? 201 : 200).json({ name: setup.name, subscriptions });
  });
  app.get('/crowds/:name/subscriptions', (request, response) => {
    const subscriptions = crowds.subscriptions(request.params.name);
    if (!subscriptions) throw unknown(request.params.name);
    response.json({ name: request.params.name, subscriptions });
  });
  app.get('/crowds/:name/report', (request, response) => {
    const { alert, areas } = parse(ReportQuery, { ...request.query });
    const report = crowds.report(request.params.name, alert, areas);
    if (!report) throw unknown(request.params.name);
    response.json(report);
  });
  app.delete('/crowds/:name', (request, response) => {
    if (!crowds.remove(request.params.name)) throw unknown(request.params.name);
    response.status(204).end();
  });
}
