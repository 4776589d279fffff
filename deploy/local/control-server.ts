import express, { type Express, type RequestHandler } from 'express';
import { z } from 'zod';
import { finishApp, jsonBody } from '../../shared/http/app.ts';
import { type Listening, listen } from '../../shared/http/listen.ts';
import { invalidRequest, ProblemError } from '../../shared/http/problem.ts';
import { createLogger } from '../../shared/log/logger.ts';
import type { ManagedProcess } from './managed-process.ts';
import type { SiteNetwork } from './site-network.ts';
import type { Supervisor } from './supervisor.ts';

const SIGNALS = ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGSTOP', 'SIGCONT'] as const;
/** A service that does not end in order by then is ended by force. */
const RESTART_GRACE_MS = 15_000;
const KillRequest = z.strictObject({
  signal: z.enum(SIGNALS).default('SIGKILL'),
  hold: z.boolean().default(false),
});

interface Deps {
  readonly supervisor: Supervisor;
  /** The network between the sites; undefined while they are plain processes. */
  readonly network: () => SiteNetwork | undefined;
  /** Called once the answer to POST /stop is out. */
  readonly onStop: () => void;
}

/**
 * The launcher's own control, on loopback only. A web page that the user happens to visit could send requests here too,
 * so every change has to come as JSON (which a page of another origin may not send) to a loopback name.
 */
export function startControl(port: number, deps: Deps): Promise<Listening> {
  return listen(controlApp(deps), { host: '127.0.0.1', port });
}

function controlApp({ supervisor, network, onStop }: Deps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(onlyOurselves, jsonBody(4096));
  app.get('/processes', (_request, response) => {
    response.json(supervisor.views());
  });
  app.post('/processes/:name/kill', (request, response) => {
    const process = named(supervisor, request.params.name);
    const parsed = KillRequest.safeParse(request.body ?? {});
    if (!parsed.success) throw invalidRequest(parsed.error);
    const signalled = process.kill(parsed.data.signal, parsed.data.hold);
    response.json({ name: process.spec.name, signalled });
  });
  app.post('/processes/:name/start', (request, response) => {
    const process = named(supervisor, request.params.name);
    process.start();
    response.json({ name: process.spec.name, pid: process.identity?.pid ?? null });
  });
  app.post('/processes/:name/restart', async (request, response) => {
    const process = named(supervisor, request.params.name);
    if (process.state !== 'running')
      throw new ProblemError(409, 'not-running', `${process.spec.name} does not run`, {
        detail: `It is ${process.state}`,
        action: `Start it with POST /processes/${process.spec.name}/start`,
      });
    await process.restart(RESTART_GRACE_MS);
    response.json({ name: process.spec.name, pid: process.identity?.pid ?? null });
  });
  app.get('/sites', (_request, response) => {
    response.json({ namespaces: network() !== undefined, sites: network()?.sites() ?? [] });
  });
  for (const change of ['cut', 'heal'] as const)
    app.post(`/sites/:name/${change}`, async (request, response) => {
      const cuttable = networkWith(network(), request.params.name);
      const done = await cuttable[change](request.params.name);
      response.json({ name: request.params.name, cut: change === 'cut', done });
    });
  app.post('/stop', (_request, response) => {
    response.once('finish', onStop);
    response.status(202).json({ stopping: true });
  });
  finishApp(app, createLogger('launcher', 'local', 'error'));
  return app;
}

const onlyOurselves: RequestHandler = (request, _response, next) => {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (host !== '127.0.0.1' && host !== 'localhost')
    throw new ProblemError(
      403,
      'forbidden',
      'The launcher answers to 127.0.0.1 and localhost only',
    );
  if (request.method !== 'GET' && !request.is('application/json'))
    throw new ProblemError(415, 'not-json', 'A change has to be sent as JSON', {
      action: 'Send a JSON object, {} at least, with Content-Type: application/json',
    });
  next();
};

function networkWith(network: SiteNetwork | undefined, site: string): SiteNetwork {
  if (network === undefined)
    throw new ProblemError(409, 'no-namespaces', 'The sites do not run in network namespaces', {
      detail:
        'They are plain processes that share this machine’s loopback, which nobody can cut between them',
      action: 'Run with SITES=3 (or NETNS=on) as root, on a machine with ip, nsenter and iptables',
    });
  const names = network.sites().map(({ name }) => name);
  if (names.includes(site)) return network;
  throw new ProblemError(404, 'not-found', 'There is no site of this name', {
    detail: `There are: ${names.join(', ')}`,
  });
}

function named(supervisor: Supervisor, name: string): ManagedProcess {
  const process = supervisor.get(name);
  if (process !== undefined) return process;
  const names = supervisor
    .views()
    .map((view) => view.name)
    .join(', ');
  throw new ProblemError(404, 'not-found', 'There is no process of this name', {
    detail: `There are: ${names}`,
  });
}
