import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import { TRANSPORTS, type TransportKind } from '../../../shared/envelope/envelope.ts';
import { fetchJson } from '../../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import {
  type Acknowledged,
  type DevicesReport,
  devicesReport,
  draftAlert,
  everybodyHasIt,
  raise,
  untilDevices,
} from './alerts.ts';
import type { FaultSystem } from './fault-system.ts';
import type { Providers } from './providers.ts';
import { judge, type Played } from './row.ts';
import type { Stage } from './stage.ts';

/** One provider fault, as a row plays it. */
export interface ProviderFault {
  /** In words, without the transport. */
  readonly what: string;
  /** The transport whose provider it strikes. */
  readonly struck: TransportKind;
  /** `before` the alert is raised, or while its requests are `in-flight`. */
  readonly when: 'before' | 'in-flight';
  /** How long it lasts once the alert is raised (ms). */
  readonly lastsMs: number;
  /** After its end everybody has to have the alert within this (ms). */
  readonly withinMs: number;
  /** Called for the struck transport, in a sabotaged run perhaps for both. */
  readonly begin: (transports: readonly TransportKind[]) => Promise<void>;
  /** Looks at what must hold while it lasts, and says what does not. */
  readonly meanwhile?: (alert: Acknowledged, quiet: QuietTimes) => Promise<readonly string[]>;
  /** The rows' switches and links are all good again afterwards; this is for what else was changed. */
  readonly end?: () => Promise<void>;
}

/** What is taken away in a sabotaged run: the retries, by an alert that is over before the fault is; or the bulkhead. */
export type Sabotage = 'no-retry' | 'both-struck' | 'none';

/** Milliseconds from the author's request to the last device, per transport, with nothing wrong. */
export type QuietTimes = Readonly<Record<TransportKind, number>>;

/** The other transport's last device may take so many times what it takes undisturbed. */
export const UNTOUCHED = 2;
/** Requests are in flight so long after the alert was raised. */
const IN_FLIGHT_MS = 150;
/** An alert that is over so soon is not tried again. */
const SHORT_LIFE_MS = 6_000;
const SABOTAGED_WITHIN_MS = 3_000;
/** A last answer may be on its way when the last device has the alert; and a retry that an answer lost asks for. */
const SETTLE_MS = 45_000;

export const otherOf = (struck: TransportKind): TransportKind =>
  struck === 'fcm' ? 'web-push' : 'fcm';

/**
 * Raises an alert undisturbed and one under the fault, and judges what has to hold after every provider fault: everybody
 * has it once, the other transport was as fast as ever, every message has an outcome, no send took beyond its deadline.
 */
export async function playProviderFault(
  stage: Stage,
  providers: Providers,
  fault: ProviderFault,
  sabotage: Sabotage = 'no-retry',
): Promise<Played> {
  const { system } = providers;
  const { struck } = fault;
  const isShort = stage.sabotage && sabotage === 'no-retry';
  const transports = stage.sabotage && sabotage === 'both-struck' ? TRANSPORTS : [struck];
  try {
    await heal(providers);
    const quiet = await quietTimes(system);
    const late = await lateSends(system);
    if (fault.when === 'before' || isShort) await fault.begin(transports);
    const draft = await draftAlert(isShort ? { expiresInMs: SHORT_LIFE_MS } : {});
    const alert = await raise(system, { draft });
    const raisedMs = Date.now();
    if (fault.when === 'in-flight' && !isShort) {
      await delay(IN_FLIGHT_MS);
      await fault.begin(transports);
    }
    const broken = [...(await untouched(system, alert, { struck, quiet }))];
    broken.push(...((await fault.meanwhile?.(alert, quiet)) ?? []));
    const lastsMs = isShort ? SHORT_LIFE_MS + 1_000 : fault.lastsMs;
    await delay(Math.max(0, raisedMs + lastsMs - Date.now()));
    await fault.end?.();
    await heal(providers);
    const healedMs = Date.now();
    const withinMs = stage.sabotage ? SABOTAGED_WITHIN_MS : fault.withinMs;
    const played = await judge(system, [alert], {}, withinMs);
    const { lastMs } = (await devicesReport(system, alert.id)).inside;
    if (!stage.sabotage) broken.push(...(await unsettled(system, alert.id)));
    broken.push(...(await sentTooLong(system, late)));
    const otherTook = await lastOf(system, alert, otherOf(struck));
    return {
      ...played,
      case: `${fault.what}, ${struck}`,
      broken: [...played.broken, ...broken].map((each) => `${fault.what}, ${struck}: ${each}`),
      figures: {
        'times the undisturbed time, the other transport':
          Math.round((100 * otherTook) / quiet[otherOf(struck)]) / 100,
        [`seconds from the end to the last device, ${fault.what}`]:
          Math.max(0, Math.round((lastMs ?? healedMs) - healedMs)) / 1000,
      },
    };
  } finally {
    await heal(providers);
    if (!stage.sabotage) await stage.healthy();
  }
}

/** All switches off, all links good. */
export async function heal({ links, switch: set }: Providers): Promise<void> {
  for (const link of Object.values(links)) link.set({});
  await set({});
}

/** With nothing wrong, on the same machine, right before. */
export async function quietTimes(system: FaultSystem): Promise<QuietTimes> {
  const alert = await raise(system);
  const { inside } = await untilDevices(system, alert.id, everybodyHasIt);
  if (inside.received < inside.devices)
    throw new Error('the undisturbed fan-out did not reach everybody');
  return {
    fcm: await lastOf(system, alert, 'fcm'),
    'web-push': await lastOf(system, alert, 'web-push'),
  };
}

const countsOf = ({ areas }: DevicesReport, transport: TransportKind) => {
  const counts = areas[0]?.perTransport[transport];
  if (counts === undefined) throw new Error('the crowd has no devices in the area');
  return counts;
};

/** Share of a transport's devices in the area that have it, in percent. */
export async function percentOf(
  system: FaultSystem,
  id: string,
  transport: TransportKind,
): Promise<number> {
  const { received, devices } = countsOf(await devicesReport(system, id), transport);
  return (100 * received) / devices;
}

/** Milliseconds from the author's request to that transport's last device so far. */
async function lastOf(
  system: FaultSystem,
  alert: Acknowledged,
  transport: TransportKind,
): Promise<number> {
  const { lastMs } = countsOf(await devicesReport(system, alert.id), transport);
  return lastMs === null ? Number.POSITIVE_INFINITY : lastMs - alert.sinceMs;
}

/** What is wrong with the transport that nobody struck. */
export async function untouched(
  system: FaultSystem,
  alert: Acknowledged,
  { struck, quiet }: { readonly struck: TransportKind; readonly quiet: QuietTimes },
): Promise<string[]> {
  const other = otherOf(struck);
  const limitMs = UNTOUCHED * quiet[other];
  const leftMs = Math.max(0, alert.sinceMs + limitMs - Date.now()) + 500;
  const hasAll = (report: DevicesReport) => {
    const { received, devices } = countsOf(report, other);
    return received === devices;
  };
  const report = await untilDevices(system, alert.id, hasAll, leftMs);
  const { received, devices } = countsOf(report, other);
  if (received < devices)
    return [
      `only ${received} of ${devices} devices of ${other} had it in ${UNTOUCHED} × the undisturbed ${Math.round(quiet[other])} ms`,
    ];
  const tookMs = await lastOf(system, alert, other);
  return tookMs <= limitMs
    ? []
    : [`${other} took ${Math.round(tookMs)} ms instead of ${Math.round(quiet[other])} ms`];
}

export function progressOf(
  system: FaultSystem,
  name: string,
  id: string,
): Promise<DispatchProgress> {
  return fetchJson(`${urlOf(system, name)}/v1/alerts/${id}/progress`, {
    schema: DispatchProgress,
    timeoutMs: 5_000,
    token: system.internalToken,
  });
}

/** Messages that have no outcome yet once they have had the time to get one. */
async function unsettled(system: FaultSystem, id: string): Promise<string[]> {
  const pending = async () => {
    const all = await Promise.all(
      system.names('dispatcher').map((name) => progressOf(system, name, id)),
    );
    return all
      .flatMap(({ transports }) => Object.values(transports))
      .reduce((sum, each) => sum + (each?.pending ?? 0), 0);
  };
  const options = { timeoutMs: SETTLE_MS, everyMs: 200 };
  await until('nobody is pending', options, async () =>
    (await pending()) === 0 ? true : undefined,
  ).catch(() => undefined);
  const left = await pending();
  return left === 0 ? [] : [`${left} messages are still without an outcome`];
}

/** Sends that took longer than their deadline, of each dispatcher since its start. */
async function lateSends(system: FaultSystem): Promise<number> {
  const all = await Promise.all(
    system.names('dispatcher').map(async (name) => {
      const answer = await fetch(`${urlOf(system, name)}/metrics`, {
        signal: AbortSignal.timeout(5_000),
      });
      const text = await answer.text();
      return TRANSPORTS.map((transport) => {
        const upTo = (le: string) => bucket(text, transport, le);
        return upTo('+Inf') - upTo('10');
      }).reduce((sum, each) => sum + each, 0);
    }),
  );
  return all.reduce((sum, each) => sum + each, 0);
}

function bucket(metrics: string, transport: TransportKind, le: string): number {
  const lines = metrics
    .split('\n')
    .filter(
      (line) =>
        line.startsWith('tocsin_push_send_seconds_bucket{') &&
        line.includes(`transport="${transport}"`) &&
        line.includes(`le="${le}"`),
    );
  return z.coerce.number().parse(lines[0]?.split(' ').at(-1));
}

async function sentTooLong(system: FaultSystem, before: number): Promise<string[]> {
  const late = (await lateSends(system)) - before;
  return late <= 0 ? [] : [`${late} sends had no outcome within the deadline of 10 s`];
}
