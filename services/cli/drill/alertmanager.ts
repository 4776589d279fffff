import { z } from 'zod';
import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';

const TIMEOUT_MS = 5_000;

/** Answer of Alertmanager's `GET /api/v2/alerts`, as far as it is read (its OpenAPI, version 2). */
const AlertsAnswer = z.array(
  z.looseObject({
    labels: z.record(z.string(), z.string()),
    status: z.looseObject({ state: z.string() }),
    receivers: z.array(z.looseObject({ name: z.string() })).default([]),
  }),
);
export type ActiveAlert = z.infer<typeof AlertsAnswer>[number];

/**
 * The names of alerts that Alertmanager gives to a pager now: severity `page`, neither silenced nor held back by a wider
 * one, routed to somebody. Undefined when it does not answer.
 */
export async function pagedAlerts(
  url: string,
  about: (alert: ActiveAlert) => boolean,
): Promise<string[] | undefined> {
  const query = 'api/v2/alerts?active=true&silenced=false&inhibited=false';
  try {
    const alerts = await fetchJson(new URL(query, url.endsWith('/') ? url : `${url}/`).href, {
      schema: AlertsAnswer,
      timeoutMs: TIMEOUT_MS,
    });
    return (
      alerts
        // One that has just come in is `unprocessed` for a moment: it is about to be given to somebody.
        .filter(({ status, receivers }) => status.state !== 'suppressed' && receivers.length > 0)
        .filter(({ labels }) => labels['severity'] === 'page')
        .filter(about)
        .map(({ labels }) => labels['alertname'] ?? '?')
    );
  } catch (error) {
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}

/** Whether an alert is what a transport's deaf receivers have to raise: of the transport, a path of it, or of everything. Pure. */
export function isAboutTransport({ labels }: ActiveAlert, transport: TransportKind): boolean {
  const { alertname, transport: named, path } = labels;
  return (
    named === transport ||
    alertname === 'NoProof' ||
    (alertname === 'RouteUnproved' && path?.endsWith(`:${transport}`) === true)
  );
}
