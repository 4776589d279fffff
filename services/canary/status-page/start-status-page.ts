import { errorFields } from '../../../shared/log/error-fields.ts';
import type { Logger } from '../../../shared/log/logger.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { sleep } from '../../../shared/time/sleep.ts';
import type { DeviceDay } from '../history/device-days.ts';
import type { JudgedPath } from '../judge.ts';
import { renderStatus } from './render-status.ts';
import { type StatusReport, statesOf, statusReport } from './status-report.ts';
import { writeFiles } from './write-files.ts';

const LOOK_EVERY_MS = 1_000;
const WRITE_EVERY_MS = 30_000;

interface StatusPageOptions {
  readonly folder: string;
  readonly isDemonstration: boolean;
}

interface StatusPageDeps {
  readonly judged: () => readonly JudgedPath[];
  readonly days: () => readonly DeviceDay[];
  readonly wallNow: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The files of one report, by their names. Pure. */
export function statusFiles(report: StatusReport, isDemonstration: boolean) {
  return {
    'index.fr.html': renderStatus(report, { language: 'fr', isDemonstration }),
    'index.en.html': renderStatus(report, { language: 'en', isDemonstration }),
    'status.json': `${JSON.stringify(report)}\n`,
  };
}

/**
 * Writes the public's page every half minute, and at once when what it says has changed. It is left behind when the
 * canary ends: from its own age it says that nobody knows. A disk that takes nothing stops nothing else.
 */
export async function startStatusPage(
  { folder, isDemonstration }: StatusPageOptions,
  { judged, days, wallNow, log, signal }: StatusPageDeps,
): Promise<void> {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let said = '';
  let failing = false;
  do {
    const nowMs = wallNow();
    const report = statusReport(judged(), days(), nowMs);
    const states = statesOf(report);
    if (states === said && Math.abs(nowMs - writtenAtMs) < WRITE_EVERY_MS) continue;
    try {
      writeFiles(folder, statusFiles(report, isDemonstration));
      [said, writtenAtMs, failing] = [states, nowMs, false];
    } catch (error) {
      if (!failing) log.error(errorFields(error), 'status page is not written');
      failing = true;
    }
  } while (await sleep(LOOK_EVERY_MS, signal));
}
