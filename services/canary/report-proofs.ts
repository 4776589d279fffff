import { z } from 'zod';
import { fetchJson } from '../../shared/http/fetch-json.ts';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Logger } from '../../shared/log/logger.ts';
import type { ProofReport } from '../../shared/receipt/proof.ts';
import { sleep } from '../../shared/time/sleep.ts';
import type { JudgedPath } from './judge.ts';

const REPEAT_MS = 10_000;
const REQUEST_LIMIT_MS = 1_000;

/** What the canary knows, as its readers get it: every path that was ever proved, with the age by our own clock. */
export function proofReport(canary: string, judged: readonly JudgedPath[]): ProofReport {
  const proofs = judged.flatMap(({ path, ageMs, latencyMs }) =>
    ageMs === null || latencyMs === null
      ? []
      : [{ path, ageMs: Math.round(ageMs), latencyMs: Math.round(latencyMs) }],
  );
  return { v: 1, canary, proofs };
}

interface ReportDeps {
  readonly log: Logger;
  readonly report: () => ProofReport;
  readonly signal: AbortSignal;
}

interface Reporter {
  /** There is a new proof: tell it now. */
  readonly tell: () => void;
  readonly running: Promise<void>;
}

/**
 * Tells one dispatcher or ingest what is proved: after each proof, and every ten seconds in any case. One request at a
 * time; a target that hangs misses reports and holds up nobody.
 */
export function reportTo(url: string, token: string, deps: ReportDeps): Reporter {
  let news = false;
  let wake = new AbortController();
  const run = async () => {
    while (!deps.signal.aborted) {
      news = false;
      wake = new AbortController();
      try {
        await fetchJson(new URL('/v1/proofs', url).href, {
          json: deps.report(),
          token,
          schema: z.unknown(),
          timeoutMs: REQUEST_LIMIT_MS,
          signal: deps.signal,
        });
      } catch (error) {
        deps.log.debug({ ...errorFields(error), url }, 'proofs could not be told');
      }
      if (!news) await sleep(REPEAT_MS, AbortSignal.any([deps.signal, wake.signal]));
    }
  };
  const running = run();
  return {
    tell: () => {
      news = true;
      wake.abort();
    },
    running,
  };
}
