import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { PathHistory } from '../history/start-history.ts';
import type { JudgedPath } from '../judge.ts';
import { pathName } from '../paths.ts';
import { age, ago } from './age-markup.ts';
import { formatLatency } from './ages.ts';
import { type Html, html } from './html.ts';
import { SHAPES } from './shapes.ts';
import { strip, stripLegend } from './strip.ts';
import type { Language, Texts } from './texts.ts';

/** Ages (ms) up to which a cell is proved, and late; the page's script lets cells grow old by them. */
interface Limits {
  readonly provedMs: number;
  readonly lateMs: number;
}

type Row = Pick<CanaryPath, 'ingest' | 'lane'>;
type Column = Pick<CanaryPath, 'dispatcher' | 'transport'>;

/**
 * Rows: how the alert comes in (ingest and lane). Columns: how it goes out (dispatcher and transport). The roles are those
 * that a table has anyway: on a phone it is laid out as something else and would lose them.
 */
export function matrix(
  paths: readonly JudgedPath[],
  history: PathHistory,
  limits: Limits,
  language: Language,
  texts: Texts,
): Html {
  const byName = new Map(paths.map((judged) => [pathName(judged.path), judged]));
  const rows = distinct<Row>(paths.map(({ path: { ingest, lane } }) => ({ ingest, lane })));
  const columns = distinct<Column>(
    paths.map(({ path: { dispatcher, transport } }) => ({ dispatcher, transport })),
  );
  const word = (value: string) => texts.values[value] ?? value;
  const columnName = ({ dispatcher, transport }: Column) =>
    html`${texts.through} ${dispatcher} <b>${word(transport)}</b>`;
  const head = columns.map(
    ({ dispatcher, transport }) =>
      html`<th scope="col" role="columnheader">${texts.parts.dispatcher} <b>${dispatcher}</b> · <b>${word(transport)}</b></th>`,
  );
  const body = rows.map((row) => {
    const cells = columns.map((column) =>
      cell(byName.get(pathName({ ...row, ...column })), columnName(column)),
    );
    return html`<tr role="row"><th scope="row" role="rowheader">${texts.parts.ingest} ${row.ingest} <b>${texts.parts.lane} ${word(row.lane)}</b></th>${cells}</tr>
`;
  });

  function cell(judged: JudgedPath | undefined, where: Html): Html {
    if (!judged) return html`<td role="cell"></td>`;
    const segments = history.get(pathName(judged.path));
    return html`<td role="cell" class="cell ${judged.state}" data-proved-ms="${limits.provedMs}" data-late-ms="${limits.lateMs}">
<span class="where">${where}</span><span class="word">${SHAPES[judged.state]}${texts.states[judged.state]}</span>
<span class="age">${judged.ageMs === null ? age(judged.silenceMs) : ago(judged.ageMs, texts)}</span>
<span class="more">${more(judged, language, texts)}</span>
${segments && strip(segments, texts)}</td>`;
  }

  return html`<table class="matrix" role="table" aria-labelledby="matrix-title"><thead role="rowgroup"><tr role="row"><td role="cell"></td>${head}</tr></thead><tbody role="rowgroup">
${body}</tbody></table>
<details id="legend"><summary>${texts.legend}</summary>${legend(texts)}${stripLegend(texts)}</details>`;
}

/** The small line of a cell: the latency while all is well, what was missed otherwise. */
function more(judged: JudgedPath, language: Language, texts: Texts): string {
  const { lastResult, latencyMs, consecutiveMisses } = judged;
  const parts: string[] = [];
  if (judged.state === 'proved' && latencyMs !== null)
    parts.push(formatLatency(latencyMs, language));
  if (consecutiveMisses > 0) parts.push(texts.missed(consecutiveMisses));
  if (lastResult?.kind === 'late')
    parts.push(`${texts.late} (${formatLatency(lastResult.latencyMs, language)})`);
  return parts.join(' · ');
}

function legend(texts: Texts): Html {
  const states = ['proved', 'late', 'unproved', 'not-measured'] as const;
  const entries = states.map(
    (state) =>
      html`<li><span class="word" data-state="${state}">${SHAPES[state]}${texts.states[state]}</span>${texts.colon} ${texts.stateMeaning[state]}</li>`,
  );
  return html`<ul class="legend">${entries}</ul>`;
}

function distinct<Item extends object>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
