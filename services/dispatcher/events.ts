import type { Severity } from '../../shared/alert/cap-values.ts';
import type { Envelope, TransportKind } from '../../shared/envelope/envelope.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import { AlertTraces, type OpenSpan } from '../../shared/trace/alert-traces.ts';
import { originOfEnvelope } from '../../shared/trace/trace-context.ts';
import type { Arrival, JournalState } from './journal.ts';
import type {
  ARRIVAL_RESULTS,
  DispatcherMetrics,
  JUNK_SOURCES,
  REFILLED_STREAMS,
  SNAPSHOT_RESULTS,
} from './metrics.ts';
import type { Outcome } from './transports/transport.ts';

export type DispatcherEvents = ReturnType<typeof createDispatcherEvents>;

/**
 * What happens in a dispatcher, each as one function that writes the counter, the log line and the alert's timeline
 * together. What happens for each message only counts.
 */
export function createDispatcherEvents(
  metrics: DispatcherMetrics,
  log: Logger,
  traces = new AlertTraces(),
) {
  return {
    /** What every log line about an alert carries. */
    alertFields: (id: string) => traces.logFields(id),
    /** `hop`: the `traceparent` of the send that brought it. */
    alertBegun(envelope: Pick<Envelope, 'id' | 'audience' | 'trace'>, hop?: string): void {
      traces.begin(envelope.id, envelope.audience, originOfEnvelope(envelope, hop));
    },
    /** It is in the journal. */
    alertTaken: (id: string) => traces.end(id),
    takenUpAgain(envelope: Pick<Envelope, 'id' | 'audience' | 'trace'>): void {
      this.alertBegun(envelope);
      traces.note(envelope.id, 'taken-up-again');
      log.warn(traces.logFields(envelope.id), 'alert taken up where it was left');
    },
    /** A peer, while an alert is being sent. */
    peerAnswers(id: string, node: string, answers: boolean): void {
      traces.note(id, answers ? 'peer-answering' : 'peer-unanswering', { node });
      log[answers ? 'info' : 'warn'](
        { ...traces.logFields(id), peer: node },
        answers ? 'peer answers again' : 'peer does not answer while an alert is sent',
      );
    },
    retried(id: string, transport: TransportKind, count: number): void {
      traces.note(id, 'retried', { transport }, count);
    },
    runStarted(id: string, transport: TransportKind): OpenSpan {
      traces.note(id, 'started', { transport });
      return traces.child(id, `fan-out ${transport}`);
    },
    alertArrived(
      id: string,
      lane: Arrival,
      result: Exclude<(typeof ARRIVAL_RESULTS)[number], 'refused'>,
      audience?: string,
    ): void {
      metrics.arrivals.inc({ lane, result });
      // A peer's journal is read for what is lacking; what is known stands there too, and says nothing.
      if (lane !== 'peer' || result !== 'duplicate') traces.note(id, 'arrived', { lane, result });
      if (audience !== 'canary')
        log.info({ ...traces.logFields(id), lane, result }, 'alert arrived');
    },
    alertRefused(lane: Arrival, reason: string): void {
      metrics.arrivals.inc({ lane, result: 'refused' });
      log.warn({ lane, reason }, 'alert refused: it is not what was signed');
    },
    outcome(transport: TransportKind, outcome: Outcome): void {
      metrics.outcomes[transport][outcome.kind]++;
    },
    /** For each acceptance of one alert on one transport: seconds since it was signed. */
    acceptTimes(transport: TransportKind, severity: Severity): (seconds: number) => void {
      const observe = metrics.acceptTimes(transport, severity);
      return (seconds) => observe(Math.max(0, seconds));
    },
    fanOutBegan(transport: TransportKind, recipients: number): void {
      metrics.recipients.inc({ transport }, recipients);
    },
    canaryToPublicStopped(id: string, transport: TransportKind): void {
      metrics.canaryToPublic.inc({ transport });
      log.fatal(
        { ...traces.logFields(id), transport },
        'a canary’s alert was about to go to the public: stopped',
      );
    },
    runEnded(id: string, transport: TransportKind, state: JournalState, figures: object): void {
      traces.note(id, 'completed', { transport, state });
      log.info({ ...traces.logFields(id), transport, state, ...figures }, 'fan-out ended');
    },
    shardTakenOver(id: string, transport: TransportKind, shard: number, from: string): void {
      traces.note(id, 'taken-over', { transport, node: from });
      log.warn(
        { ...traces.logFields(id), transport, shard, from },
        'took over what a silent or stuck peer had left',
      );
    },
    askedFirst(heldMs: number, how: 'answered' | 'time-over'): void {
      log.info({ heldMs: Math.round(heldMs), how }, 'back: asked what ended before sending on');
    },
    removed(transport: TransportKind, count: number): void {
      metrics.removed.inc({ transport }, count);
      log.info({ transport, count }, 'subscriptions removed: gone');
    },
    replicaDamaged(what: string, isFirst: boolean): void {
      metrics.registryDamage.inc();
      if (isFirst) log.error({ what }, 'replica of the registry is damaged: filled anew');
    },
    snapshot(result: (typeof SNAPSHOT_RESULTS)[number]): void {
      metrics.snapshots.inc({ result });
      if (result === 'refused') log.error('a copy of the registry from a peer is damaged');
    },
    quarantineJudged(action: 'release' | 'drop', count: number): void {
      log.warn({ action, count }, 'quarantine judged');
    },
    quarantined(transport: TransportKind, count: number): void {
      metrics.quarantined.inc({ transport }, count);
      log.error({ transport, count }, 'storm of gone subscriptions: kept, for a human to judge');
    },
    goneNotNoted(transport: TransportKind, count: number, error: unknown): void {
      log.error(
        { ...errorFields(error), transport, count },
        'gone subscriptions could be neither removed nor quarantined: they stay',
      );
    },
    registryChanged(size: number): void {
      metrics.registrySize.set(size);
    },
    registryRebuilt(): void {
      metrics.registryRebuilt.set(1);
      log.error('replica of the registry was corrupt: set aside and filled anew from the streams');
    },
    busRefilled(site: string, stream: (typeof REFILLED_STREAMS)[number], count: number): void {
      metrics.refilled.inc({ bus_site: site, stream }, count);
      log.warn({ bus: site, stream, count }, 'put back what the bus of a site had lost');
    },
    junkDropped(source: (typeof JUNK_SOURCES)[number]): void {
      metrics.junk.inc({ source });
      log.error({ source }, 'dropped a message that is not what its place says');
    },
  };
}
