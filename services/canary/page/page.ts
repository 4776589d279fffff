import { lateForMs, provedForMs } from '../judge.ts';
import { age, ago } from './age-markup.ts';
import { deafTransports } from './deaf-transports.ts';
import { type Html, html, ownMarkup } from './html.ts';
import { matrix } from './matrix.ts';
import type { PageModel } from './page-model.ts';
import { SCRIPT } from './script.ts';
import { canariesBox, findingsList, realAlertBox, roundsTable } from './sections.ts';
import { slowFaults, slowProofs } from './slow-proofs.ts';
import { STYLE } from './style.ts';
import { type Texts, textsFor } from './texts.ts';

/** The on-call page. It reads without script, at night, on a phone. */
export function renderPage(model: PageModel): string {
  const texts = textsFor(model.language);
  const { summary } = model;
  const title = `${summary.anyProved ? texts.proofs(summary.provedPaths, summary.totalPaths) : texts.noProof} · Tocsin`;
  const limits = { provedMs: provedForMs(model.timetable), lateMs: lateForMs(model.timetable) };
  const clock = new Date(model.wallNowMs).toISOString().slice(11, 19);
  const page = html`<!doctype html>
<html lang="${model.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<noscript><meta http-equiv="refresh" content="5"></noscript>
<style>${ownMarkup(STYLE)}</style>
</head>
<body>
<p class="stale" role="alert" hidden>${texts.stale} <span></span></p>
<header><strong>TOCSIN</strong><span>${texts.title} · ${texts.site(model.site, model.canary)}</span>
<span class="clock">${clock} ${texts.utc}</span></header>
<main>
${verdict(model, texts)}
${findingsList(model, texts)}
<h2>${texts.matrix}</h2>
${matrix(model.paths, limits, model.language, texts)}
${slowProofs(model, texts)}
<div class="columns">
<section><h2>${texts.realAlert}</h2>${realAlertBox(model, texts)}
<h2>${texts.canaries}</h2>${canariesBox(model, texts)}</section>
<section><h2>${texts.rounds}</h2>${roundsTable(model, texts)}</section>
</div>
<p class="note">${texts.emulated}</p>
</main>
<footer><a href="${model.runbooksUrl}">${texts.runbooks}</a><a href="/metrics">${texts.metrics}</a><a href="/v1/paths">${texts.json}</a>
<a href="?lang=${model.language === 'fr' ? 'en' : 'fr'}">${texts.otherLanguage}</a></footer>
<script>${ownMarkup(SCRIPT)}</script>
</body>
</html>
`;
  return page.markup;
}

/** One sentence for the whole: would an alert arrive? */
function verdict(model: PageModel, texts: Texts): Html {
  const { summary, paths } = model;
  const { provedPaths, totalPaths, newestProofAgeMs } = summary;
  if (!summary.anyProved) {
    const since = newestProofAgeMs === null ? texts.sinceStart : texts.since;
    return html`<section class="verdict none"><h1>${texts.noProof} ${since} ${age(summary.silenceMs)}</h1>
<p class="fallback">${texts.fallback}</p></section>`;
  }
  const deaf = deafTransports(paths);
  if (deaf.length > 0) {
    const names = deaf.map(({ transport }) => texts.values[transport] ?? transport);
    const forMs = Math.min(...deaf.map(({ silenceMs }) => silenceMs));
    return html`<section class="verdict none"><h1>${texts.deaf(names)} ${texts.since} ${age(forMs)}</h1>
<p class="fallback">${texts.deafMeaning}</p>
<p>${texts.lastProof} ${ago(newestProofAgeMs ?? 0, texts)} · ${texts.proofs(provedPaths, totalPaths)}</p></section>`;
  }
  const all = provedPaths === totalPaths;
  const hasFaults = slowFaults(model, texts).length > 0;
  const but = hasFaults ? html`<p class="fallback">${texts.butFaults}</p>` : undefined;
  return html`<section class="verdict ${all && !hasFaults ? 'all' : 'some'}"><h1>${all ? texts.allProved : texts.someProved}</h1>
<p>${texts.lastProof} ${ago(newestProofAgeMs ?? 0, texts)} · ${texts.proofs(provedPaths, totalPaths)}</p>${but}</section>`;
}
