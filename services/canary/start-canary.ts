import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { readJsonFile, readTextFile } from '../../shared/config/read-file.ts';
import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import { KeySet } from '../../shared/envelope/key-set.ts';
import { createVerifier } from '../../shared/envelope/signature.ts';
import { createApp, finishApp } from '../../shared/http/app.ts';
import { listen } from '../../shared/http/listen.ts';
import { startWithCleanup } from '../../shared/lifecycle/cleanup-stack.ts';
import { Health } from '../../shared/lifecycle/health.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { createMetricsRegistry } from '../../shared/metrics/registry.ts';
import type { WitnessAnswer } from '../../shared/receipt/proof.ts';
import { systemClock } from '../../shared/time/clock.ts';
import { sleep } from '../../shared/time/sleep.ts';
import { createAgeClock } from './age-clock.ts';
import type { CanaryConfig } from './config.ts';
import { diagnose } from './diagnosis.ts';
import { startDrills } from './drills/start-drills.ts';
import { createCanaryEvents } from './events.ts';
import { startHistory } from './history/start-history.ts';
import { createJudge, type RoundResult, summarize } from './judge.ts';
import { createCanaryMetrics } from './metrics.ts';
import type { PageModel } from './page/page-model.ts';
import type { Language } from './page/texts.ts';
import { allPaths, pathName } from './paths.ts';
import { pathsReport } from './paths-report.ts';
import { readRunbooks } from './read-runbooks.ts';
import { watchRealAlert } from './real-alert/watch-real-alert.ts';
import { createReceipts } from './receipts/create-receipts.ts';
import { startReceivers } from './receivers/start-receivers.ts';
import { createRefusingMetrics } from './refusing/refusing-metrics.ts';
import { startRefusing } from './refusing/start-refusing.ts';
import { createRoundLog } from './round-log.ts';
import { addRoutes } from './routes.ts';
import { runRound } from './run-round.ts';
import { scheduleRounds } from './schedule-rounds.ts';
import { startProbes } from './start-probes.ts';
import { startTelling } from './start-telling.ts';
import { startWatching } from './start-watching.ts';
import { startStatusPage } from './status-page/start-status-page.ts';
import { startStoredPath } from './stored/start-stored-path.ts';
import { createStoredMetrics } from './stored/stored-metrics.ts';
import { startAlertTraces } from './tracing/start-alert-traces.ts';
import { watchStates } from './watch-states.ts';
import { createWitnessLog } from './witness-log.ts';

const PAGE_ROUNDS = 12;
/** The first sweep waits this long for the probes to be registered: sooner, its rounds could reach nobody. */
const REGISTRATION_WAIT_MS = 5_000;

/** Starts a canary: probes, rounds, judge, page. Resolves once it listens; `close` stops all of it. */
export function startCanary(config: CanaryConfig, log: Logger) {
  return startWithCleanup(async (cleanup) => {
    const internalToken = readTextFile(config.internalTokenFile, 'INTERNAL_TOKEN_FILE');
    const apiKey = readTextFile(config.apiKeyFile, 'CANARY_API_KEY_FILE');
    const keySet = readJsonFile(config.trustedKeysFile, KeySet, 'TRUSTED_KEYS_FILE');
    const wallNow = systemClock;
    const now = createAgeClock(wallNow, () => performance.now());
    const stop = new AbortController();
    const { signal } = stop;
    const tasks: Promise<unknown>[] = [];
    cleanup.add('tasks', () => {
      // Aborted before, but for a start that failed half-way.
      stop.abort();
      return Promise.all(tasks);
    });

    const paths = allPaths(
      config.ingests.map(({ name }) => name),
      config.dispatchers.map(({ name }) => name),
    );
    const timetable = { periodMs: config.periodMs, limitMs: config.limitMs };
    const probeNames = { 'web-push': `${config.nodeName}-web-push`, fcm: `${config.nodeName}-fcm` };
    const storedName = config.storedPeriodMs > 0 ? `${config.nodeName}-stored` : undefined;
    const registry = createMetricsRegistry('canary', config.nodeName);
    const metrics = createCanaryMetrics(registry, {
      paths: paths.map(pathName),
      probes: Object.values(probeNames),
      stored: storedName,
    });
    const tracing = startAlertTraces(config, { log, registry });
    cleanup.add('tracing', tracing.close);
    const events = createCanaryEvents(log, metrics, wallNow, tracing.traces);
    const judge = createJudge(paths, timetable, now);
    const rounds = createRoundLog();
    const witnesses = createWitnessLog();
    const history = startHistory(
      { dataDir: config.dataDir, paths, timetable },
      { judged: judge.judged, wallNow, log, signal },
    );
    cleanup.add('history', history.close);
    tasks.push(history.running);
    const drills = startDrills(
      { canary: config.nodeName, dataDir: config.dataDir, internalToken },
      { registry, log, wallNow },
    );

    const verify = createVerifier(keySet, 'alert');
    const probeDir = join(config.dataDir, 'probes');
    const receipts = createReceipts(
      { dataDir: probeDir, timetable, proving: probeNames },
      { registry, verifyAlert: verify, witnesses, events, now, wallNow },
    );
    const { book } = receipts;
    const refusing =
      config.refusingPeriodMs === 0
        ? undefined
        : startRefusing(
            {
              canary: config.nodeName,
              autopushUrl: config.autopushUrl,
              dataDir: probeDir,
              sender: config.sender,
              periodMs: config.refusingPeriodMs,
              limitMs: config.limitMs,
            },
            {
              verify,
              log,
              metrics: createRefusingMetrics(registry, config.refusingPeriodMs / 1000),
              wallNow,
              now,
              random: Math.random,
              signal,
            },
          );
    if (refusing) tasks.push(refusing.running);
    const proving = startProbes(
      { ...config, names: probeNames, dataDir: probeDir, internalToken },
      {
        cleanup,
        drills,
        receipts: receipts.own,
        verify,
        keep: refusing?.keep,
        events,
        log,
        now,
        wallNow,
        random: Math.random,
        signal,
      },
    );
    const { probes } = proving;
    tasks.push(proving.running);

    const receivers = startReceivers(
      { ...config, canary: config.nodeName, dataDir: probeDir, internalToken, keySet },
      {
        ...proving.hearing,
        ...receipts,
        receipts: receipts.own,
        lastHeardMs: proving.lastHeardMs,
        events,
        metrics,
        log,
        now,
        wallNow,
        random: Math.random,
        signal,
      },
    );
    cleanup.add('receivers', receivers.close);
    tasks.push(receivers.running);

    const telling = startTelling(
      { ...config, internalToken },
      { cleanup, judged: judge.judged, events, log, now, signal },
    );
    tasks.push(telling.running);
    const roundEnded = (path: CanaryPath, result: RoundResult) => {
      judge.record(path, result);
      rounds.add({ atMs: wallNow(), path, result });
      history.record(path, result);
      events.roundEnded(path, result);
      if (result.kind === 'proved') telling.proved(path, result.latencyMs);
    };
    const raising = {
      canary: config.nodeName,
      sender: config.sender,
      apiKey,
      limitMs: config.limitMs,
      ingests: config.ingests,
    };
    const roundSettings = {
      ...raising,
      // As they are when the round is raised: probe pages come and go.
      get addresses() {
        return [...probes.map(({ deviceId }) => deviceId), ...receivers.deviceIds()];
      },
    };
    const onLate = (path: CanaryPath, latencyMs: number) =>
      roundEnded(path, { kind: 'late', latencyMs });
    const runAndRecord = async (path: CanaryPath) => {
      const result = await runRound(path, roundSettings, { book, wallNow, signal, onLate });
      if (result) roundEnded(path, result);
    };
    const runTimetable = async () => {
      const deadlineMs = now() + REGISTRATION_WAIT_MS;
      while (!proving.registered() && now() < deadlineMs) {
        if (!(await sleep(50, signal))) return;
      }
      const timing = { periodMs: config.periodMs, canary: config.nodeName };
      const random = Math.random;
      const { everProved } = judge;
      await scheduleRounds(paths, timing, {
        runRound: runAndRecord,
        everProved,
        now,
        random,
        signal,
      });
    };
    tasks.push(runTimetable());
    tasks.push(watchStates({ judged: judge.judged, probes, events, metrics, signal }));
    const stored =
      storedName === undefined
        ? undefined
        : startStoredPath(
            {
              probeName: storedName,
              autopushUrl: config.autopushUrl,
              vapidPublicKey: config.vapidPublicKey,
              dataDir: probeDir,
              periodMs: config.storedPeriodMs,
              edgeUrls: config.edgeUrls,
              internalToken,
              raising,
            },
            {
              deviceOf: proving.deviceOf,
              verifyAlert: verify,
              wallNow,
              log,
              metrics: createStoredMetrics(registry, storedName, config.storedPeriodMs / 1000),
              events,
              judged: judge.judged,
              now,
              random: Math.random,
              signal,
            },
          );
    if (stored) {
      cleanup.add('stored probe', stored.close);
      tasks.push(stored.running);
    }
    const watching = startWatching(config, {
      internalToken,
      probes,
      judged: judge.judged,
      registry,
      metrics,
      log,
      now,
      wallNow,
      signal,
    });
    tasks.push(watching.running);

    // Probes of an earlier life receive before they are registered again: who received it counts in any case.
    const probesBeside = (seen: number) =>
      Math.max(proving.registeredCount() + receivers.count(), seen);
    const witnessesOf = (alertId: string): WitnessAnswer => {
      const real = witnesses.of(alertId);
      const seen = real.length > 0 ? real : drills.witnessesOf(alertId);
      const probeCount = probesBeside(seen.length);
      return { v: 1, canary: config.nodeName, probes: probeCount, witnesses: [...seen] };
    };
    const realAlert = watchRealAlert(
      { ...config, internalToken },
      {
        ownLatest: witnesses.latest,
        ownAnswer: witnessesOf,
        verifyEnvelope: createVerifier(keySet, 'envelope'),
        wallNow,
        signal,
      },
    );
    tasks.push(realAlert.running);
    const pageModel = (language: Language): PageModel => {
      const judged = judge.judged();
      return {
        language,
        canary: config.nodeName,
        site: config.site,
        wallNowMs: wallNow(),
        ageNowMs: now(),
        timetable,
        paths: judged,
        summary: summarize(judged),
        findings: diagnose(judged),
        dead: watching.dead(),
        history: history.paths(),
        rounds: rounds.newest(PAGE_ROUNDS),
        receivers: receipts.receiverLog.states(),
        stored: stored?.state(),
        refusals: refusing?.state(),
        clocks: watching.clocks(),
        realAlert: realAlert.latest(),
        otherCanaries: watching.otherCanaries(),
        credentials: watching.credentials(),
        drills: drills.records(),
        runbooksUrl: config.runbooksUrl,
      };
    };
    if (config.statusDir !== undefined)
      tasks.push(
        startStatusPage(
          { folder: config.statusDir, isDemonstration: config.deployment === 'development' },
          { judged: judge.judged, days: history.days, wallNow, log, signal },
        ),
      );
    const health = new Health();
    for (const probe of probes)
      health.add({ name: `probe ${probe.name}`, check: () => probe.connected() });
    health.add({ name: 'probes registered', check: proving.registered });
    const app = createApp({ log, health, metrics: registry });
    addRoutes(app, {
      internalToken,
      runbooks: readRunbooks(),
      pageModel,
      pathsReport: () => pathsReport(config.nodeName, judge.judged(), wallNow()),
      witnessesOf,
    });
    tracing.addRoutes(app, { internalToken, witnessesOf, clocks: watching.clocks, now });
    drills.addRoutes(app);
    receivers.addRoutes(app);
    finishApp(app, log);
    const listening = await listen(app, { host: config.host, port: config.port });
    cleanup.add('http', listening.close);
    // Registered last, so that it runs first: everything above ends by this signal.
    cleanup.add('signal', () => {
      health.stopping();
      stop.abort();
    });
    health.started();
    log.info({ port: listening.port, paths: paths.length }, 'canary is watching');
    return { port: listening.port };
  });
}
