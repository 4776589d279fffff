import type { Verify } from '../../../shared/envelope/signature.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { CanaryEvents } from '../events.ts';
import {
  type JudgedPath,
  judgePath,
  newPathRecord,
  type RoundResult,
  recordRound,
  type Timetable,
} from '../judge.ts';
import { pathName } from '../paths.ts';
import { createOwnReceipts } from '../receipts/own-receipts.ts';
import { createReceiptDesk } from '../receipts/receipt-desk.ts';
import { registerProbes } from '../register-probes.ts';
import { createRoundBook } from '../round-book.ts';
import type { RaiseSettings } from '../run-round.ts';
import { type TakeDeps, takePayload } from '../take-payload.ts';
import { createWitnessLog } from '../witness-log.ts';
import { runStoredRounds, storedTiming } from './run-stored-rounds.ts';
import type { StoredMetrics } from './stored-metrics.ts';
import { createStoredProbe } from './stored-probe.ts';

/** Long enough for a registration that needs a second try; a round without one reaches nobody. */
const REGISTRATION_WAIT_MS = 5_000;

/** The stored path as the page shows it. */
export interface StoredPathState {
  readonly probe: string;
  readonly judged: JudgedPath;
  readonly timetable: Timetable;
}

interface StoredPathOptions {
  readonly probeName: string;
  readonly autopushUrl: string;
  readonly vapidPublicKey: string;
  readonly dataDir: string;
  readonly periodMs: number;
  readonly edgeUrls: readonly string[];
  readonly internalToken: string;
  /** How rounds are raised; the addresses are the probe's own. */
  readonly raising: Omit<RaiseSettings, 'addresses'>;
}

interface StoredPathDeps extends Pick<TakeDeps, 'deviceOf' | 'wallNow'> {
  readonly verifyAlert: Verify;
  readonly log: Logger;
  readonly metrics: StoredMetrics;
  readonly events: CanaryEvents;
  readonly judged: () => readonly JudgedPath[];
  readonly now: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

interface StoredPath {
  readonly state: () => StoredPathState;
  readonly running: Promise<unknown>;
  readonly close: () => Promise<void>;
}

/**
 * The path to a phone that was off: a probe of its own, connected only now and then, with its own rounds, its own judge
 * and its own age limits. Real alerts that it finds are counted as witnessed, but not among the probes that are always
 * on: it is late by design.
 */
export function startStoredPath(options: StoredPathOptions, deps: StoredPathDeps): StoredPath {
  const { probeName, periodMs, raising } = options;
  const { events, now, signal } = deps;
  const book = createRoundBook(now);
  const desk = createReceiptDesk({
    book,
    witnesses: createWitnessLog(),
    verifyAlert: deps.verifyAlert,
    onWitnessed: events.witnessed,
    wallNow: deps.wallNow,
  });
  const receipts = createOwnReceipts(options.dataDir, desk);
  receipts.enlist(probeName);
  const take: TakeDeps = { ...deps, receipts, heard: () => undefined };
  let registerAgain: () => void = () => undefined;
  const probe = createStoredProbe(
    {
      name: probeName,
      url: options.autopushUrl,
      vapidPublicKey: options.vapidPublicKey,
      dataDir: options.dataDir,
    },
    {
      log: deps.log,
      random: deps.random,
      signal,
      onPayload: (of, payload) => takePayload(of, payload, take),
      onUndecryptable: (of) => events.refused(of.name, 'undecryptable'),
      onSubscription: () => registerAgain(),
    },
  );
  const target = { edgeUrls: options.edgeUrls, token: options.internalToken };
  const registration = registerProbes([probe], target, { events, random: deps.random, signal });
  registerAgain = registration.again;

  const timing = storedTiming(periodMs, raising.limitMs);
  const timetable = { periodMs, limitMs: timing.keptMs + timing.limitMs };
  const [first] = deps.judged();
  if (!first) throw new Error('no paths: nothing to store for');
  let record = newPathRecord(first.path, now());
  const running = runStoredRounds(timing, {
    ...deps,
    probe,
    book,
    settings: { ...raising, addresses: [probe.deviceId] },
    everProved: () => record.lastProofAtMs !== undefined,
    onResult: (path, result) => {
      record = { ...recordRound(record, result, now()), path };
      tellResult(probeName, pathName(path), result, deps);
    },
    registered: async () => {
      const deadlineMs = now() + REGISTRATION_WAIT_MS;
      while (!registration.registered() && now() < deadlineMs && (await sleep(50, signal)));
    },
  });
  return {
    state: () => ({ probe: probeName, judged: judgePath(record, now(), timetable), timetable }),
    running: Promise.all([running, registration.running]),
    close: probe.close,
  };
}

function tellResult(
  probe: string,
  path: string,
  result: RoundResult,
  deps: { metrics: StoredMetrics; log: Logger; wallNow: Clock },
): void {
  if (result.kind === 'missed') {
    deps.metrics.rounds.inc({ probe, result: result.stage });
    deps.log.warn({ probe, path, stage: result.stage }, 'stored round missed');
    return;
  }
  deps.metrics.rounds.inc({ probe, result: 'proved' });
  deps.metrics.lastReceipt.set({ probe }, deps.wallNow() / 1000);
  deps.log.debug({ probe, path, latencyMs: result.latencyMs }, 'stored round proved');
}
