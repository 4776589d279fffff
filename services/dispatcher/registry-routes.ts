import { Router } from 'express';
import { z } from 'zod';
import { jsonBody } from '../../shared/http/app.ts';
import { invalidRequest } from '../../shared/http/problem.ts';
import { type Quarantine, QuarantineRequest } from './quarantine.ts';
import type { JudgedAnswer } from './remove-gone.ts';
import { SNAPSHOT_TYPE, type Snapshots } from './snapshot.ts';

export interface RegistryRouteDeps {
  readonly node: string;
  readonly snapshots: Snapshots;
  readonly quarantine: Pick<Quarantine, 'list'>;
  readonly judge: (request: QuarantineRequest) => Promise<JudgedAnswer>;
}

const SnapshotQuery = z.object({ schema: z.coerce.number().int().optional() });

/** What a dispatcher says of its replica: copies for peers, and the quarantine for a human. Behind the internal token. */
export function registryRoutes(deps: RegistryRouteDeps): Router {
  const routes = Router();
  routes.get('/registry/snapshot', async (request, response) => {
    deps.snapshots.admit(parsed(SnapshotQuery, request.query).schema);
    response.type(SNAPSHOT_TYPE).flushHeaders();
    // What goes wrong from here on is the reader's broken stream, and counted: there is no answer left to give.
    await deps.snapshots.send(response).catch(() => undefined);
  });
  routes.get('/quarantine', (_request, response) => {
    response.json(deps.quarantine.list(deps.node));
  });
  routes.post('/quarantine', jsonBody(4_096), async (request, response) => {
    response.json(await deps.judge(parsed(QuarantineRequest, request.body)));
  });
  return routes;
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw invalidRequest(result.error);
  return result.data;
}
