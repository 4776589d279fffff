import { z } from 'zod';
import type { Alert } from '../../../shared/alert/alert.ts';
import { alertId } from '../../../shared/alert/alert-id.ts';
import { checkAlert } from '../../../shared/alert/check-alert.ts';
import { deviceMessage } from '../../../shared/envelope/device-message.ts';
import { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { contentHash } from '../../../shared/envelope/hashes.ts';
import type { SigningKey } from '../../../shared/envelope/key-set.ts';
import { createSigner } from '../../../shared/envelope/signature.ts';
import { createApp, finishApp, jsonBody } from '../../../shared/http/app.ts';
import { bearerToken } from '../../../shared/http/bearer.ts';
import { listen } from '../../../shared/http/listen.ts';
import { ProblemError } from '../../../shared/http/problem.ts';
import { Health } from '../../../shared/lifecycle/health.ts';
import { createLogger } from '../../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../../shared/metrics/registry.ts';
import { ProofReport } from '../../../shared/receipt/proof.ts';
import { Subscription } from '../../../shared/subscription/subscription.ts';
import type { ProviderSender } from './provider-sender.ts';

export const API_KEY = 'canary-api-key';
export const INTERNAL_TOKEN = 'internal-token';

/** Ingest, dispatcher and edge in one small HTTP server: what it takes, it delivers by the real sandbox. */
export interface StandInSystem {
  readonly url: string;
  readonly subscriptions: Map<string, Subscription>;
  readonly reports: ProofReport[];
  readonly alerts: Alert[];
  /** How many alerts were answered 202. */
  readonly accepted: () => number;
  /** From now on every alert is refused with this status; undefined: taken. */
  refuseWith: (statusCode: number | undefined) => void;
  /** Sends any alert to every registered probe, signed with any key. */
  readonly sendToAll: (alert: Alert, key: SigningKey) => Promise<void>;
  readonly close: () => Promise<void>;
}

const Import = z.array(z.object({ subscription: Subscription, probe: z.literal(true) }));

export async function startStandInSystem(
  sender: () => ProviderSender,
  canaryKey: SigningKey,
): Promise<StandInSystem> {
  const log = createLogger('stand-in', 'test', 'silent');
  const health = new Health();
  health.started();
  const app = createApp({ log, health, metrics: createMetricsRegistry('stand-in', 'test') });
  app.use(jsonBody(64 * 1024));
  const subscriptions = new Map<string, Subscription>();
  const reports: ProofReport[] = [];
  const alerts: Alert[] = [];
  let accepted = 0;
  let refusal: number | undefined;

  const deliver = async (alert: Alert, key: SigningKey, to: Subscription[], via: string) => {
    const [info] = alert.info;
    if (!info) throw new Error('no info');
    const sign = await createSigner(key, 'alert');
    const facts = {
      id: await alertId(alert),
      audience: key.audience,
      expires: info.expires,
      references: [],
      contentHash: await contentHash(alert),
      nonce: codeOf(alert, 'tocsin-nonce:'),
    };
    const signed = await sign(JSON.stringify(deviceMessage(alert, info, facts)));
    await Promise.all(to.map((each) => sender().send(each, { alert: signed, via })));
  };

  app.post('/v1/subscriptions\\:import', (request, response) => {
    if (bearerToken(request.headers.authorization) !== INTERNAL_TOKEN)
      throw new ProblemError(401, 'not-authenticated', 'no');
    const items = Import.parse(request.body);
    for (const { subscription } of items) subscriptions.set(subscription.deviceId, subscription);
    response.json({ imported: items.length, refused: [] });
  });
  app.post('/v1/alerts', async (request, response) => {
    if (bearerToken(request.headers.authorization) !== API_KEY)
      throw new ProblemError(401, 'not-authenticated', 'no');
    if (refusal !== undefined) throw new ProblemError(refusal, 'refused', 'no');
    const checked = checkAlert(request.body, Date.now());
    if (!checked.ok) throw new ProblemError(422, 'invalid', JSON.stringify(checked.problems));
    const { alert } = checked;
    alerts.push(alert);
    accepted++;
    response.status(202).json({ id: await alertId(alert) });
    const [ingest, lane, dispatcher, transport] = codeOf(alert, 'tocsin-path:')?.split(':') ?? [];
    const path = CanaryPath.parse({ ingest, lane, dispatcher, transport });
    const to = (alert.addresses ?? '')
      .split(' ')
      .flatMap((id) => subscriptions.get(id) ?? [])
      .filter(({ address }) => address.transport === path.transport);
    await deliver(alert, canaryKey, to, path.dispatcher);
  });
  app.post('/v1/proofs', (request, response) => {
    reports.push(ProofReport.parse(request.body));
    response.status(204).end();
  });
  finishApp(app, log);
  const { port, close } = await listen(app, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    subscriptions,
    reports,
    alerts,
    accepted: () => accepted,
    refuseWith: (statusCode) => {
      refusal = statusCode;
    },
    sendToAll: (alert, key) => deliver(alert, key, [...subscriptions.values()], 'a'),
    close,
  };
}

function codeOf(alert: Alert, prefix: string): string | undefined {
  return alert.code?.find((each) => each.startsWith(prefix))?.slice(prefix.length);
}
