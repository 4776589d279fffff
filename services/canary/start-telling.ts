import type { CanaryPath } from '../../shared/envelope/envelope.ts';
import type { CleanupStack } from '../../shared/lifecycle/cleanup-stack.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { CanaryConfig } from './config.ts';
import { createDeadManSwitch } from './dead-man.ts';
import type { CanaryEvents } from './events.ts';
import type { JudgedPath } from './judge.ts';
import { ProofPublisher } from './publish-proofs.ts';
import { proofReport, reportTo } from './report-proofs.ts';

type TellingOptions = Pick<
  CanaryConfig,
  'nodeName' | 'natsSites' | 'dispatchers' | 'ingests' | 'deadmanUrl'
> & { readonly internalToken: string };

interface TellingDeps {
  readonly cleanup: CleanupStack;
  readonly judged: () => readonly JudgedPath[];
  readonly events: CanaryEvents;
  readonly log: Logger;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Who hears of proofs: dispatchers and ingests, each site's bus, and the watcher outside. */
export function startTelling(
  { nodeName, natsSites, dispatchers, ingests, deadmanUrl, internalToken }: TellingOptions,
  { cleanup, judged, events, log, now, signal }: TellingDeps,
): {
  /** Tells a fresh proof; nothing else may be told. */
  readonly proved: (path: CanaryPath, latencyMs: number) => void;
  readonly running: Promise<unknown>;
} {
  const publishers = natsSites.map((site) => {
    const publisher = new ProofPublisher(site, nodeName, log);
    cleanup.add(`proofs on the bus of ${site.site}`, () => publisher.close());
    return publisher;
  });
  const report = () => proofReport(nodeName, judged());
  const reporters = [...dispatchers, ...ingests].map(({ url }) =>
    reportTo(url, internalToken, { log, report, signal }),
  );
  const deadMan = createDeadManSwitch(deadmanUrl, { events, now, signal });
  return {
    proved: (path, latencyMs) => {
      deadMan();
      for (const reporter of reporters) reporter.tell();
      const proof = { path, ageMs: 0, latencyMs: Math.round(latencyMs) };
      for (const publisher of publishers) void publisher.publish(proof);
    },
    running: Promise.all(reporters.map(({ running }) => running)),
  };
}
