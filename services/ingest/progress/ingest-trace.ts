import { z } from 'zod';
import { NodeName } from '../../../shared/envelope/envelope.ts';
import type { AlertTraces } from '../../../shared/trace/alert-traces.ts';
import {
  type TraceAnswer,
  type TraceAttributes,
  type TraceEvent,
  traceEvent,
} from '../../../shared/trace/trace-answer.ts';
import { traceOfJws } from '../../../shared/trace/trace-context.ts';
import { AcceptedAnswer } from '../accept/accepted-answer.ts';
import type { Outbox, OutboxRecord } from '../lanes/outbox.ts';

interface Deps {
  readonly node: string;
  readonly site: string;
  readonly outbox: Pick<Outbox, 'record'>;
  readonly traces: AlertTraces;
}

/** `bus:a`, `direct:a/a-2`, `edge:b/b`, as the targets are called in the outbox. */
const TARGET = /^(bus|direct|edge):([a-z0-9-]{1,16})(?:\/([a-z0-9-]{1,16}))?$/;
const TARGET_KINDS = { bus: 'bus', direct: 'dispatcher', edge: 'edge' } as const;

/**
 * What this ingest did with an alert: from its outbox, which survives it, and what it noted since it started (failed
 * attempts, repeats). Undefined for an alert that another ingest took.
 */
export function ingestTrace(alertId: string, deps: Deps): TraceAnswer | undefined {
  const record = deps.outbox.record(alertId);
  if (!record) return undefined;
  return {
    v: 1,
    node: deps.node,
    site: deps.site,
    kind: 'ingest',
    alertId,
    traceId: traceOfJws(record.jws)?.traceId ?? alertId,
    events: [...outboxEvents(record), ...deps.traces.events(alertId)].sort(
      (a, b) => Date.parse(a.at) - Date.parse(b.at),
    ),
  };
}

function outboxEvents(record: OutboxRecord): TraceEvent[] {
  return [
    traceEvent(record.createdAtMs, 'written'),
    ...record.lanes.flatMap(({ target, state, settledAtMs }) => {
      const attributes = targetAttributes(target);
      if (attributes === undefined || settledAtMs === undefined) return [];
      const name = state === 'conflict' ? 'lane-conflict' : 'lane-acknowledged';
      return [traceEvent(settledAtMs, name, attributes)];
    }),
    ...(record.answeredAtMs === undefined
      ? []
      : [traceEvent(record.answeredAtMs, 'accepted', durabilityOf(record.answer))]),
  ];
}

function targetAttributes(key: string): TraceAttributes | undefined {
  const [, kind, site, node] = TARGET.exec(key) ?? [];
  if (kind === undefined || site === undefined) return undefined;
  const target = TARGET_KINDS[z.enum(['bus', 'direct', 'edge']).parse(kind)];
  return { target, site: NodeName.parse(site), node: NodeName.parse(node ?? site) };
}

/** An alert that an interrupted process had sent was accepted without an answer. */
function durabilityOf(answer: string | undefined): TraceAttributes {
  if (answer === undefined) return {};
  const parsed = AcceptedAnswer.safeParse(JSON.parse(answer));
  return parsed.success ? { result: parsed.data.durability } : {};
}
