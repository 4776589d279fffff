import type { RoundResult } from '../judge.ts';
import { pathName } from '../paths.ts';
import type { OtherCanary } from '../watch-peers.ts';
import { ago } from './age-markup.ts';
import { formatClock, formatLatency } from './ages.ts';
import { describePath } from './dead-section.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

const ROUNDS_SHOWN = 12;

/** What the other canaries say of themselves; one that does not answer is bad. */
export function canariesBox(model: PageModel, texts: Texts): Html {
  if (model.otherCanaries.length === 0)
    return html`<div class="box bad"><p>${texts.noOtherCanary}</p></div>`;
  return html`${model.otherCanaries.map((other) => canaryBox(other, model, texts))}`;
}

function canaryBox(other: OtherCanary, model: PageModel, texts: Texts): Html {
  const proofAgeMs =
    other.newestProofAtMs === undefined ? undefined : model.ageNowMs - other.newestProofAtMs;
  const bad = !other.reachable || other.provedPaths === 0;
  const lastProof =
    proofAgeMs === undefined
      ? html`${texts.canaryNoProof}`
      : html`${texts.lastProof} ${ago(proofAgeMs, texts)} · ${texts.proofs(other.provedPaths, other.totalPaths)}`;
  const trouble = other.reachable ? undefined : html` · <b>${texts.canaryUnreachable}</b>`;
  return html`<div class="box ${bad ? 'bad' : ''}"><p>${bad ? SHAPES.unproved : undefined} <b>${other.name}</b>${trouble}</p>
<p class="soft">${lastProof}</p></div>`;
}

/** How the newest rounds ended. */
export function roundsTable({ rounds, language }: PageModel, texts: Texts): Html {
  if (rounds.length === 0)
    return html`<div class="box"><p class="soft">${texts.noRounds}</p></div>`;
  const rows = rounds.slice(0, ROUNDS_SHOWN).map(({ atMs, path, result }) => {
    const latency = result.kind === 'missed' ? '' : formatLatency(result.latencyMs, language);
    return html`<tr role="row" title="${pathName(path)}"><td role="cell" class="number">${formatClock(atMs)}</td><td role="cell">${describePath(path, texts)}</td>
<td role="cell"><span class="word ${result.kind}">${shapeOf(result)} ${wordOf(result, texts)}</span></td><td role="cell" class="number">${latency}</td></tr>`;
  });
  const heads = [`${texts.time} (${texts.utc})`, texts.path, texts.result, texts.latency].map(
    (head) => html`<th scope="col" role="columnheader">${head}</th>`,
  );
  return html`<div class="box"><table class="list rounds" role="table" aria-labelledby="rounds-title"><thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></div>`;
}

function shapeOf({ kind }: RoundResult): Html {
  return SHAPES[kind === 'missed' ? 'unproved' : kind];
}

function wordOf(result: RoundResult, texts: Texts): string {
  return result.kind === 'missed' ? texts.stages[result.stage] : texts[result.kind];
}
