import { AlertId } from '../../../shared/alert/alert-id.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';
import { askServices, type TracedNode } from './ask-services.ts';
import { mergeTimeline } from './merge-timeline.ts';
import { timelineLines } from './timeline-lines.ts';

interface Deps {
  readonly nodes: readonly TracedNode[];
  readonly token: string;
  readonly terminal: Terminal;
  readonly texts: Texts;
}

/**
 * `tocsin trace ID`: what every service did with an alert, as one table. Who does not answer is named, and the rest is
 * shown. Rejects with CliError: no such id, nobody knows it, or nobody answers.
 */
export async function showTrace(
  alertId: string,
  options: { readonly json?: boolean },
  { nodes, token, terminal, texts }: Deps,
): Promise<void> {
  if (!AlertId.safeParse(alertId).success) throw new CliError(EXIT.usage, [texts.trace.badId]);
  const timeline = mergeTimeline(await askServices(alertId, nodes, token));
  if (options.json) {
    terminal.out(`${JSON.stringify({ v: 1, alertId, ...timeline }, undefined, 2)}\n`);
  } else {
    for (const line of timelineLines(alertId, timeline, texts)) terminal.out(`${line}\n`);
  }
  if (timeline.rows.length > 0) return;
  if (timeline.noAnswer.length === nodes.length)
    throw new CliError(EXIT.unreachable, [texts.trace.nobody]);
  throw new CliError(EXIT.refused, [texts.trace.nobodyKnows(alertId)]);
}
