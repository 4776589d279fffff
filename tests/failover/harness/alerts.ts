import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { type RunningSystem, urlOf } from '../../../deploy/demo/find-system.ts';
import { until } from '../../../deploy/demo/until.ts';
import { AcceptedAnswer } from '../../../services/ingest/accept/accepted-answer.ts';
import { alertId } from '../../../shared/alert/alert-id.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { capInstant } from '../../support/signed-alerts.ts';
import { exampleAlert, readSecret } from '../../support/whole-system.ts';
import { BrokenPromiseError } from './broken-promise.ts';

const AREA = '06088';

export interface AlertDraft {
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface DraftChanges {
  readonly sender?: string;
  readonly severity?: string;
  /** How long it is still valid; sent so long ago that CAP's minute is kept. */
  readonly expiresInMs?: number;
}

let drafts = 0;

/** The Nice alert as a new one, and the id that every ingest will give it. */
export async function draftAlert(changes: DraftChanges = {}): Promise<AlertDraft> {
  const nowMs = Date.now();
  const example = exampleAlert('nice-alert');
  const { severity, expiresInMs } = changes;
  const sentMs = Math.min(nowMs, nowMs + (expiresInMs ?? 61_000) - 61_000);
  const info = z
    .array(z.record(z.string(), z.unknown()))
    .parse(example['info'])
    .map((each) => ({
      ...each,
      ...(severity === undefined ? {} : { severity }),
      ...(expiresInMs === undefined ? {} : { expires: capInstant(nowMs + expiresInMs) }),
    }));
  const named = {
    identifier: `faults-${process.pid}-${++drafts}-${nowMs.toString(36)}`,
    sender: changes.sender ?? 'pref06@alerte.example',
    sent: capInstant(sentMs),
  };
  return { id: await alertId(named), body: { ...example, ...named, info } };
}

/** What an ingest said to one request. */
export interface Answer {
  readonly status: number | undefined;
  readonly accepted: AcceptedAnswer | undefined;
  readonly tookMs: number;
}

/** POST of an alert, once. */
export async function post(
  ingestUrl: string,
  draft: AlertDraft,
  token: string,
  timeoutMs = 5_000,
): Promise<Answer> {
  const startedMs = performance.now();
  const took = () => performance.now() - startedMs;
  try {
    const accepted = await fetchJson(`${ingestUrl}/v1/alerts`, {
      schema: AcceptedAnswer,
      timeoutMs,
      token,
      json: draft.body,
    });
    return { status: 202, accepted, tookMs: took() };
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    return { status: error.status, accepted: undefined, tookMs: took() };
  }
}

export function prefectureKey(system: RunningSystem): string {
  return readSecret(system.stateDir, 'keys/pref06.key');
}

/** An alert that was answered 202, and since when its author wanted it sent. */
export interface Acknowledged {
  readonly id: string;
  readonly sinceMs: number;
  readonly answer: AcceptedAnswer;
}

/** Repeats the same request, from ingest to ingest, until one says 202: what every sender has to do. */
export async function raise(
  system: RunningSystem,
  options: {
    readonly draft?: AlertDraft;
    readonly first?: 'a' | 'b';
    readonly token?: string;
    readonly withinMs?: number;
    readonly timeoutMs?: number;
  } = {},
): Promise<Acknowledged> {
  const draft = options.draft ?? (await draftAlert());
  const token = options.token ?? prefectureKey(system);
  const sites = options.first === 'b' ? ['b', 'a'] : ['a', 'b'];
  const sinceMs = Date.now();
  const endMs = sinceMs + (options.withinMs ?? 60_000);
  for (let attempt = 0; ; attempt++) {
    const url = urlOf(system, `ingest-${sites[attempt % 2]}`);
    const { accepted, status } = await post(url, draft, token, options.timeoutMs ?? 3_000);
    if (accepted) return { id: draft.id, sinceMs, answer: accepted };
    if (Date.now() > endMs)
      throw new BrokenPromiseError(`no ingest took the alert; the last said ${status}`);
    await delay(100);
  }
}

export async function cancel(system: RunningSystem, id: string, site: 'a' | 'b'): Promise<void> {
  await fetchJson(`${urlOf(system, `ingest-${site}`)}/v1/alerts/${id}/cancel`, {
    schema: z.unknown(),
    timeoutMs: 5_000,
    token: prefectureKey(system),
    json: {},
  });
}

const Counts = z.object({
  devices: z.int(),
  acceptedMessages: z.int(),
  received: z.int(),
  shown: z.int(),
  shownTwice: z.int(),
  takenDown: z.int(),
  refused: z.int(),
  repeats: z.int(),
  firstMs: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
  lastMs: z.number().nullable(),
  byNode: z.record(z.string(), z.int()),
});
const Report = z.object({
  inside: Counts,
  outside: Counts,
  /** The alert's area alone, by transport. */
  areas: z.array(z.object({ perTransport: z.object({ fcm: Counts, 'web-push': Counts }) })),
});
export type DevicesReport = z.infer<typeof Report>;

/** What the devices themselves say about an alert. */
export function devicesReport(system: RunningSystem, id: string): Promise<DevicesReport> {
  const url = `${urlOf(system, 'sandbox')}/crowds/demo/report?alert=${id}&areas=${AREA}`;
  return fetchJson(url, { schema: Report, timeoutMs: 10_000 });
}

/** Copies of an alert that came over the wire, shown or not. */
export function copies({ inside, outside }: DevicesReport): number {
  return [inside, outside].reduce(
    (sum, each) => sum + each.received + each.repeats + each.refused,
    0,
  );
}

/** Waits for what the devices say; resolves to the last report also when it never became so. */
export async function untilDevices(
  system: RunningSystem,
  id: string,
  isSo: (report: DevicesReport) => boolean,
  timeoutMs = 45_000,
): Promise<DevicesReport> {
  let last = await devicesReport(system, id);
  const options = { timeoutMs, everyMs: 25 };
  await until('the devices', options, async () => {
    last = await devicesReport(system, id);
    return isSo(last) ? true : undefined;
  }).catch(() => undefined);
  return last;
}

export const everybodyHasIt = ({ inside }: DevicesReport) => inside.received === inside.devices;

/** Whether so many percent of the devices have it. */
export const percentHaveIt =
  (percent: number) =>
  ({ inside }: DevicesReport) =>
    inside.received * 100 >= inside.devices * percent;

/** The key file's path and content, for senders that a test adds. */
export function readApiKeys(stateDir: string): { path: string; keys: unknown[] } {
  const path = join(stateDir, 'api-keys.json');
  const { keys } = z
    .object({ keys: z.array(z.unknown()) })
    .parse(JSON.parse(readFileSync(path, 'utf8')));
  return { path, keys };
}
