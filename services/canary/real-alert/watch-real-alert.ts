import { z } from 'zod';
import { AlertId } from '../../../shared/alert/alert-id.ts';
import type { Peer } from '../../../shared/bus/bus-config.ts';
import { openEnvelope } from '../../../shared/envelope/open-envelope.ts';
import type { Verify } from '../../../shared/envelope/signature.ts';
import { fetchJson, fetchText } from '../../../shared/http/fetch-json.ts';
import { DispatchProgress } from '../../../shared/receipt/progress.ts';
import { WitnessAnswer } from '../../../shared/receipt/proof.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import { stateFile } from '../probes/probe-state.ts';
import type { WitnessedAlert } from '../witness-log.ts';
import {
  AlertTimeline,
  firstWitnesses,
  fullerTimelines,
  transportTimelines,
} from './alert-timeline.ts';

const EVERY_MS = 5_000;
/** An alert that is older changes no more; it is looked at again this often. */
const FRESH_MS = 15 * 60_000;
const OLD_EVERY_MS = 60_000;
const REQUEST_LIMIT_MS = 1_500;

interface RealAlertOptions {
  readonly dataDir: string;
  readonly internalToken: string;
  readonly edges: readonly Peer[];
  readonly dispatchers: readonly Peer[];
  readonly canaries: readonly Peer[];
}

interface RealAlertDeps {
  /** The newest one that our own probes received. */
  readonly ownLatest: () => WitnessedAlert | undefined;
  /** What this canary says of an alert itself. */
  readonly ownAnswer: (alertId: string) => WitnessAnswer;
  readonly verifyEnvelope: Verify;
  readonly wallNow: Clock;
  readonly signal: AbortSignal;
}

/** What is known of an alert before anybody is asked about it. */
type Facts = Pick<AlertTimeline, 'id' | 'headlines' | 'status' | 'msgType' | 'senderName' | 'sent'>;

/**
 * Follows the newest real alert. Edges say that there is one, also when no probe has received it; dispatchers say how far
 * it is; canaries say whose probes have it. What was once known of it is kept, also over a restart: a dispatcher or
 * canary that has died since takes nothing back.
 */
export function watchRealAlert(
  options: RealAlertOptions,
  deps: RealAlertDeps,
): { readonly latest: () => AlertTimeline | undefined; readonly running: Promise<void> } {
  const { signal, wallNow } = deps;
  const file = stateFile(options.dataDir, 'last-alert', AlertTimeline);
  let latest = file.read();
  let progress = new Map<string, DispatchProgress>();
  let askedAtMs = Number.NEGATIVE_INFINITY;

  const take = (facts: Facts | undefined) => {
    if (!facts || !isNewer(facts, latest)) return;
    latest = { ...facts, transports: [], witnesses: [], probes: 0 };
    progress = new Map();
    askedAtMs = Number.NEGATIVE_INFINITY;
  };
  const askAbout = async (alert: AlertTimeline) => {
    const [, answers, acceptedAtMs] = await Promise.all([
      askDispatchers(alert.id, progress, options, signal),
      askCanaries(alert.id, options, signal),
      alert.acceptedAtMs ?? askAcceptance(alert.id, options, deps),
    ]);
    if (latest?.id !== alert.id) return;
    const all = [deps.ownAnswer(alert.id), ...answers];
    const witnesses = firstWitnesses([
      ...alert.witnesses,
      ...all.flatMap((answer) => answer.witnesses),
    ]);
    const registered = all.reduce((sum, { probes }) => sum + probes, 0);
    latest = {
      ...alert,
      ...(acceptedAtMs === undefined ? {} : { acceptedAtMs }),
      transports: fullerTimelines(alert.transports, transportTimelines([...progress.values()])),
      witnesses,
      probes: Math.max(registered, witnesses.length),
    };
  };
  const look = async () => {
    const before = JSON.stringify(latest);
    for (const facts of await askEdges(options.edges, signal)) take(facts);
    take(factsOf(deps.ownLatest()));
    if (!latest) return;
    const isFresh = wallNow() - Date.parse(latest.sent) < FRESH_MS;
    if (!isFresh && Math.abs(wallNow() - askedAtMs) < OLD_EVERY_MS) return;
    askedAtMs = wallNow();
    await askAbout(latest);
    if (latest && JSON.stringify(latest) !== before) keep(file, latest);
  };
  const run = async () => {
    do await look();
    while (await sleep(EVERY_MS, signal));
  };
  return { latest: () => withOwn(latest, deps), running: run() };
}

/** Of two of the same second the one that is known stays: those who name one and those who name the other would take turns. */
function isNewer(facts: Facts, known: Facts | undefined): boolean {
  return known === undefined || Date.parse(facts.sent) > Date.parse(known.sent);
}

/** Our own probes' receipts are shown at once, not at the next look. */
function withOwn(
  latest: AlertTimeline | undefined,
  deps: Pick<RealAlertDeps, 'ownLatest' | 'ownAnswer'>,
): AlertTimeline | undefined {
  const own = factsOf(deps.ownLatest());
  const alert =
    own && isNewer(own, latest) ? { ...own, transports: [], witnesses: [], probes: 0 } : latest;
  if (!alert) return undefined;
  const answer = deps.ownAnswer(alert.id);
  const witnesses = firstWitnesses([...alert.witnesses, ...answer.witnesses]);
  return { ...alert, witnesses, probes: Math.max(alert.probes, answer.probes, witnesses.length) };
}

function keep(file: { write: (alert: AlertTimeline) => void }, alert: AlertTimeline): void {
  try {
    file.write(alert);
  } catch {
    // A disk that is full costs what the next life would have known; edges and dispatchers tell it again.
  }
}

function factsOf(witnessed: WitnessedAlert | undefined): Facts | undefined {
  if (!witnessed) return undefined;
  const { id, status, msgType, senderName, sent, headline, language } = witnessed.message;
  const headlines = { [shortLanguage(language)]: headline };
  return { id, headlines, status, msgType, senderName, sent };
}

const shortLanguage = (language: string) => language.slice(0, 2).toLowerCase();

const RecentAlerts = z.object({
  alerts: z.array(
    z.object({
      id: AlertId,
      alert: z.object({
        sent: z.string(),
        status: z.string(),
        msgType: z.string(),
        info: z
          .array(z.object({ language: z.string(), headline: z.string(), senderName: z.string() }))
          .min(1),
      }),
    }),
  ),
});

/** The newest alert of each edge that answers. */
async function askEdges(edges: readonly Peer[], signal: AbortSignal): Promise<Facts[]> {
  const asked = edges.map(async ({ url }): Promise<Facts[]> => {
    try {
      const { alerts } = await fetchJson(new URL('/v1/alerts/recent', url).href, {
        schema: RecentAlerts,
        timeoutMs: REQUEST_LIMIT_MS,
        signal,
      });
      const [newest] = alerts;
      if (!newest) return [];
      const { id, alert } = newest;
      const { sent, status, msgType, info } = alert;
      const headlines = Object.fromEntries(
        info.map(({ language, headline }) => [shortLanguage(language), headline]),
      );
      return [{ id, headlines, status, msgType, senderName: info[0]?.senderName ?? '', sent }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}

/** Puts what each dispatcher says into `progress`; who does not answer keeps what it said before. */
async function askDispatchers(
  id: string,
  progress: Map<string, DispatchProgress>,
  { dispatchers, internalToken }: RealAlertOptions,
  signal: AbortSignal,
): Promise<void> {
  const asked = dispatchers.map(async ({ name, url }) => {
    try {
      const answer = await fetchJson(new URL(`/v1/alerts/${id}/progress`, url).href, {
        schema: DispatchProgress,
        token: internalToken,
        timeoutMs: REQUEST_LIMIT_MS,
        signal,
      });
      progress.set(name, answer);
    } catch {
      // It is named among what is dead when it is dead.
    }
  });
  await Promise.all(asked);
}

async function askCanaries(
  id: string,
  { canaries, internalToken }: RealAlertOptions,
  signal: AbortSignal,
): Promise<WitnessAnswer[]> {
  const asked = canaries.map(({ url }) =>
    fetchJson(new URL(`/v1/alerts/${id}/witnesses`, url).href, {
      schema: WitnessAnswer,
      token: internalToken,
      timeoutMs: REQUEST_LIMIT_MS,
      signal,
    }).catch(() => undefined),
  );
  return (await Promise.all(asked)).filter((answer) => answer !== undefined);
}

/** When ingest accepted it, by the envelope that it signed; undefined while no dispatcher shows one. */
async function askAcceptance(
  id: string,
  { dispatchers, internalToken }: RealAlertOptions,
  { verifyEnvelope, signal }: RealAlertDeps,
): Promise<number | undefined> {
  const asked = dispatchers.map(async ({ url }) => {
    const jws = await fetchText(new URL(`/v1/alerts/${id}/envelope`, url).href, {
      token: internalToken,
      timeoutMs: REQUEST_LIMIT_MS,
      signal,
    });
    const envelope = await openEnvelope(jws, verifyEnvelope);
    if (envelope.id !== id) throw new Error('this is another alert');
    return Date.parse(envelope.issuedAt);
  });
  return Promise.any(asked).catch(() => undefined);
}
