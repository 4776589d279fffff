import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { ProbeWitness } from '../../shared/receipt/proof.ts';
import { AlertTraces } from '../../shared/trace/alert-traces.ts';
import type { PathState, RoundResult } from './judge.ts';
import type { CanaryMetrics } from './metrics.ts';
import { pathName } from './paths.ts';
import type { Refusal } from './round-book.ts';

/** What happens in a canary, each with its counter and its log line. */
export interface CanaryEvents {
  readonly roundEnded: (path: CanaryPath, result: RoundResult) => void;
  readonly refused: (probe: string, reason: Refusal) => void;
  /** `traceId`: the trace that the received message names. */
  readonly witnessed: (witness: ProbeWitness, traceId?: string) => void;
  readonly stateChanged: (path: CanaryPath, from: PathState, to: PathState) => void;
  readonly registered: (edge: string) => void;
  readonly registrationFailed: (reason: string) => void;
  readonly silent: (probe: string, silenceMs: number, renewed: boolean) => void;
  readonly deadmanPinged: (ok: boolean) => void;
}

export function createCanaryEvents(
  log: Logger,
  metrics: CanaryMetrics,
  wallNow: () => number,
  traces = new AlertTraces(),
): CanaryEvents {
  return {
    roundEnded: (path, result) => {
      const name = pathName(path);
      const label = result.kind === 'missed' ? result.stage : result.kind;
      metrics.rounds.inc({ path: name, result: label });
      if (result.kind === 'missed') {
        const { stage, alertId } = result;
        // A test has no trace but its own id.
        const about = alertId === undefined ? {} : { alertId, traceId: alertId };
        log.warn({ path: name, stage, ...about }, 'round missed');
        return;
      }
      metrics.roundDuration.observe(result.latencyMs / 1000);
      if (result.kind === 'proved') metrics.lastReceipt.set({ path: name }, wallNow() / 1000);
      const level = result.kind === 'proved' ? 'debug' : 'warn';
      log[level]({ path: name, latencyMs: result.latencyMs }, `round ${result.kind}`);
    },
    refused: (probe, reason) => {
      metrics.refused.inc({ reason });
      // Other canaries' rounds may reach our probes too; theirs are not ours to judge.
      log[reason === 'unknown-nonce' ? 'debug' : 'warn'](
        { probe, reason },
        'a message proved nothing',
      );
    },
    witnessed: (witness, traceId = witness.alertId) => {
      const { alertId, probe, transport, via } = witness;
      metrics.witnesses.inc({ probe });
      traces.begin(alertId, 'public', { traceId, sampled: true }, 'received');
      traces.child(alertId, 'witness').end({ probe, transport, node: via });
      traces.end(alertId);
      log.info({ ...witness, ...traces.logFields(alertId) }, 'real alert received by a probe');
    },
    stateChanged: (path, from, to) => {
      const level = to === 'proved' ? 'info' : to === 'late' ? 'warn' : 'error';
      log[level]({ path: pathName(path), from, to }, 'path changed its state');
    },
    registered: (edge) => {
      log.info({ edge }, 'probes are registered');
    },
    registrationFailed: (reason) => {
      log.warn({ reason }, 'probes cannot register');
    },
    silent: (probe, silenceMs, renewed) => {
      log.warn({ probe, silenceMs, renewed }, 'probe hears nothing: registering again');
    },
    deadmanPinged: (ok) => {
      metrics.deadmanPings.inc({ result: ok ? 'sent' : 'failed' });
      if (!ok) log.warn('the outside watcher cannot be reached');
    },
  };
}
