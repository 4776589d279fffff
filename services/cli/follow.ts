import type { Clock } from '../../shared/time/clock.ts';
import { callIngest, type IngestDeps } from './call-ingest.ts';
import { CliError, EXIT } from './cli-error.ts';
import { AlertStatus } from './ingest-answers.ts';
import { hasEnded, progressLines } from './progress-view.ts';
import type { Terminal } from './terminal.ts';

const POLL_MS = 500;
/** After the last send, the probes' and devices' answers are still on their way for a moment. */
const LINGER_MS = 3_000;
/** Silence of all ingests after which following makes no sense. */
const GIVE_UP_MS = 60_000;

export interface FollowDeps extends IngestDeps {
  readonly terminal: Terminal;
  readonly now: Clock;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** One look at an alert. Rejects with CliError. */
export async function alertStatus(id: string, deps: IngestDeps): Promise<AlertStatus> {
  return (await lookAt(id, deps)).answer;
}

function lookAt(id: string, deps: IngestDeps) {
  return callIngest({ path: `/v1/alerts/${encodeURIComponent(id)}`, schema: AlertStatus }, deps);
}

/**
 * Shows an alert's progress until nothing more will happen: redrawn in place on a terminal, a line for each change
 * elsewhere. Rejects with CliError when the alert is unknown or nobody answers for a minute.
 */
export async function followAlert(id: string, deps: FollowDeps): Promise<void> {
  const draw = createDrawing(deps.terminal);
  const { onPassedOver: _saidOnce, ...quiet } = deps;
  let ingests = deps.ingests;
  let lastAnswerMs = deps.now();
  let endedMs: number | undefined;
  for (;;) {
    try {
      const { answer: status, ingest } = await lookAt(id, { ...quiet, ingests });
      // Whoever answered is asked first next time: a dead one would cost its time-out at every look.
      ingests = [...new Set([ingest, ...ingests])];
      lastAnswerMs = deps.now();
      draw(progressLines(status, deps.texts));
      if (hasEnded(status)) {
        endedMs ??= lastAnswerMs;
        if (lastAnswerMs - endedMs >= LINGER_MS) return;
      }
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
      if (deps.now() - lastAnswerMs > GIVE_UP_MS)
        throw new CliError(EXIT.unreachable, [deps.texts.lost], error);
      draw([deps.texts.waiting]);
    }
    await deps.sleep(POLL_MS);
  }
}

/** On a terminal the block is drawn over the one before; elsewhere only the lines that changed are written. */
function createDrawing(terminal: Terminal): (lines: readonly string[]) => void {
  let before: readonly string[] = [];
  return (lines) => {
    if (terminal.isInteractive) {
      const fitted = lines.map((line) => line.slice(0, terminal.columns - 1));
      const up = before.length === 0 ? '' : `\x1b[${before.length}A\x1b[0J`;
      terminal.out(`${up}${fitted.join('\n')}\n`);
    } else {
      for (const line of lines.filter((each) => !before.includes(each))) terminal.out(`${line}\n`);
    }
    before = lines;
  };
}
