import express from 'express';
import { z } from 'zod';
import { jsonBody } from '../../shared/http/app.ts';
import { listen } from '../../shared/http/listen.ts';

/** Alertmanager's webhook, version 4: what is read of it. */
const Webhook = z.object({
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
      }),
    )
    .max(1_000),
});

const KINDS = ['page', 'ticket', 'dead-man'] as const;
type Kind = (typeof KINDS)[number];

/** One alert as it reached somebody. */
export interface Call {
  readonly kind: Kind;
  readonly atMs: number;
  readonly status: 'firing' | 'resolved';
  readonly alert: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** One line for a person. */
export function callLine({ atMs, kind, status, alert, summary }: Call): string {
  return `${new Date(atMs).toISOString().slice(11, 19)} ${kind} ${status}: ${alert} · ${summary}`;
}

const MAX_CALLS = 10_000;
const MAX_BODY_BYTES = 1_000_000;

/** Stands in for pager, tickets and outside watcher: keeps what they were called for. On loopback. */
export async function startPageReceiver(
  port: number,
  onCall: (call: Call) => void = () => undefined,
) {
  const calls: Call[] = [];
  const app = express();
  app.disable('x-powered-by');
  for (const kind of KINDS) {
    app.post(`/${kind}`, jsonBody(MAX_BODY_BYTES), (request, response) => {
      const webhook = Webhook.safeParse(request.body);
      if (!webhook.success) {
        response.status(400).end();
        return;
      }
      for (const { status, labels, annotations } of webhook.data.alerts) {
        const call = {
          kind,
          atMs: Date.now(),
          status,
          alert: labels['alertname'] ?? '',
          labels,
          summary: annotations['summary'] ?? '',
        };
        if (calls.length < MAX_CALLS) calls.push(call);
        onCall(call);
      }
      response.status(204).end();
    });
  }
  const listening = await listen(app, { host: '127.0.0.1', port });
  const url = (kind: Kind) => `http://127.0.0.1:${listening.port}/${kind}`;
  return {
    calls,
    receivers: { pagers: [url('page')], tickets: url('ticket'), deadMan: url('dead-man') },
    close: listening.close,
  };
}
