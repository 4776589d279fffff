import { DRILL_KINDS, type DrillKind, type DrillRecord } from '../../../shared/receipt/drill.ts';
import type { PathState } from '../judge.ts';
import { formatDate, formatSeconds } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

const DAY_MS = 86_400_000;
/** What was last tried longer ago is no longer known to work: days, as in the rules in deploy/monitoring. */
const OLD_DAYS: Readonly<Record<DrillKind, number>> = {
  'dead-receiver': 8,
  restart: 8,
  restore: 35,
  correction: 35,
};

/** A drill that was never done counts as bad, one that failed too; one that is long ago is late. Pure. */
export function drillState(
  record: DrillRecord | undefined,
  nowMs: number,
): Exclude<PathState, 'proved'> | undefined {
  if (!record) return 'not-measured';
  if (!record.ok) return 'unproved';
  return nowMs - Date.parse(record.endedAt) > OLD_DAYS[record.kind] * DAY_MS ? 'late' : undefined;
}

/** The last drill of each kind: when, and what was measured. */
export function drillsBox(model: PageModel, texts: Texts): Html {
  const rows = DRILL_KINDS.map((kind) =>
    row(
      kind,
      model.drills.find((each) => each.kind === kind),
      model,
      texts,
    ),
  );
  return html`<div class="box"><table class="list ends"><tbody>${rows}</tbody></table></div>`;
}

function row(
  kind: DrillKind,
  record: DrillRecord | undefined,
  { wallNowMs, language, runbooksUrl }: PageModel,
  texts: Texts,
): Html {
  const state = drillState(record, wallNowMs);
  const name = texts.drillKinds[kind];
  const shape = state && SHAPES[state];
  const runbook = state === 'unproved' ? 'drill-failed' : 'drill-overdue';
  const link =
    state && html`<a href="${runbooksUrl}/${runbook}?lang=${language}">${texts.whatToDo}</a>`;
  if (!record)
    return html`<tr><th scope="row">${name}</th><td><span class="word ${state ?? ''}">${shape}${texts.drillNever}</span><small>${link}</small></td></tr>`;
  const endedMs = Date.parse(record.endedAt);
  const days = Math.max(0, Math.floor(wallNowMs / DAY_MS) - Math.floor(endedMs / DAY_MS));
  const { toPageSeconds, toRecoverySeconds, toCorrectionSeconds } = record.measures;
  const measures = Object.entries({
    toPageSeconds,
    toRecoverySeconds,
    toCorrectionSeconds,
  }).flatMap(([measure, seconds]) =>
    seconds === undefined
      ? []
      : [
          texts.drillMeasures[measure as keyof DrillRecord['measures']](
            formatSeconds(seconds * 1000, language),
          ),
        ],
  );
  return html`<tr><th scope="row">${name}<small>${measures.join(' · ')}</small></th>
<td><span class="word ${state ?? ''}">${shape}${record.ok ? texts.drillOk : texts.drillFailed} ${texts.daysAgo(days)}</span><small>${formatDate(endedMs, language)}${state ? ' · ' : ''}${link}</small></td></tr>`;
}
