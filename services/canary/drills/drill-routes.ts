import type { Express } from 'express';
import type { z } from 'zod';
import { jsonBody } from '../../../shared/http/app.ts';
import { requireToken } from '../../../shared/http/bearer.ts';
import { invalidRequest, ProblemError } from '../../../shared/http/problem.ts';
import {
  DeafRequest,
  DrillRecord,
  type DrillsAnswer,
  type ProbesAnswer,
  type ProbeView,
} from '../../../shared/receipt/drill.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import type { DeafableProbe } from './deaf-probe.ts';

const MAX_BODY_BYTES = 8 * 1024;
/** A drill that ends in the future would keep the alarm on its age quiet until then. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

interface DrillRouteDeps {
  readonly canary: string;
  readonly internalToken: string;
  readonly records: () => readonly DrillRecord[];
  readonly keep: (record: DrillRecord) => void;
  readonly probes: readonly DeafableProbe[];
  readonly wallNow: Clock;
}

/** What the command line asks a canary for drills. The list is open, like the page that shows it; the rest is ours alone. */
export function addDrillRoutes(app: Express, deps: DrillRouteDeps): void {
  const ours = requireToken(deps.internalToken);
  app.get('/v1/drills', (_request, response) => {
    const answer: DrillsAnswer = { v: 1, drills: [...deps.records()] };
    response.set('Cache-Control', 'no-store').json(answer);
  });
  app.post('/v1/drills', ours, jsonBody(MAX_BODY_BYTES), (request, response) => {
    deps.keep(plausible(parsed(DrillRecord, request.body), deps.wallNow()));
    response.status(204).end();
  });
  app.get('/v1/probes', ours, (_request, response) => {
    const { canary } = deps;
    const answer: ProbesAnswer = { v: 1, canary, probes: deps.probes.map(viewOf) };
    response.set('Cache-Control', 'no-store').json(answer);
  });
  app.post('/v1/probes/:name', ours, jsonBody(MAX_BODY_BYTES), async (request, response) => {
    const probe = deps.probes.find(({ name }) => name === request.params['name']);
    if (probe === undefined)
      throw new ProblemError(404, 'not-found', 'This canary has no probe of this name', {
        detail: `It has: ${deps.probes.map(({ name }) => name).join(', ')}`,
      });
    await probe.deafen(parsed(DeafRequest, request.body).deafForSeconds * 1000);
    response.json(viewOf(probe));
  });
}

function viewOf(probe: DeafableProbe): ProbeView {
  const { name, transport, deviceId } = probe;
  const untilMs = probe.deafUntilMs();
  const deafUntil = untilMs === undefined ? null : new Date(untilMs).toISOString();
  return { name, transport, deviceId, connected: probe.connected(), deafUntil };
}

function plausible(record: DrillRecord, nowMs: number): DrillRecord {
  const startedMs = Date.parse(record.startedAt);
  const endedMs = Date.parse(record.endedAt);
  if (startedMs <= endedMs && endedMs <= nowMs + CLOCK_TOLERANCE_MS) return record;
  throw new ProblemError(
    422,
    'implausible-drill',
    'A drill ends after it began, and not in the future',
    {
      action: 'Compare the clocks of this canary and of the machine that ran the drill',
    },
  );
}

function parsed<Schema extends z.ZodType>(schema: Schema, input: unknown): z.infer<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw invalidRequest(result.error);
  return result.data;
}
