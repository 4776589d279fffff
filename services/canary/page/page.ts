import { lateForMs, provedForMs } from '../judge.ts';
import { age, ago } from './age-markup.ts';
import { formatClock } from './ages.ts';
import { alertBox } from './alert-section.ts';
import { credentialsBox } from './credential-section.ts';
import { deadSection, type Trouble, troubles } from './dead-section.ts';
import { type DeafTransport, deafTransports } from './deaf-transports.ts';
import { drillsBox } from './drill-section.ts';
import { type Html, html, ownMarkup } from './html.ts';
import { matrix } from './matrix.ts';
import type { PageModel } from './page-model.ts';
import { receiverSection } from './receivers.ts';
import { SCRIPT } from './script.ts';
import { canariesBox, roundsTable } from './sections.ts';
import { slowProofs } from './slow-proofs.ts';
import { STYLE } from './style.ts';
import { type Texts, textsFor } from './texts.ts';

/** The on-call page. It reads without script, at night, on a phone. */
export function renderPage(model: PageModel): string {
  const texts = textsFor(model.language);
  const found = troubles(model, texts);
  const deaf = deafTransports(model.paths);
  const { summary } = model;
  const title = `${summary.anyProved ? texts.proofs(summary.provedPaths, summary.totalPaths) : texts.noProof} · Tocsin`;
  const limits = { provedMs: provedForMs(model.timetable), lateMs: lateForMs(model.timetable) };
  const clock = `${formatClock(model.wallNowMs)} ${texts.utc}`;
  const section = (id: string, heading: string, content: Html) =>
    html`<section aria-labelledby="${id}-title"><h2 id="${id}-title">${heading}</h2>${content}</section>`;
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
<body data-written="${model.wallNowMs}">
<a class="skip" href="#matrix-title">${texts.skip}</a>
<p class="stale" role="alert" hidden>${texts.stale} <span aria-hidden="true"></span></p>
<noscript><p class="stale timed">${texts.staleSince} ${clock}</p></noscript>
<p class="unseen" role="status" id="news"></p>
<header><strong>TOCSIN</strong><span>${texts.title} · ${texts.site(model.site, model.canary)}</span>
<span class="clock" title="${texts.writtenHelp}">${texts.writtenAt} <b>${clock}</b></span></header>
<main data-news="${news(model, found, deaf, texts)}" data-unknown="${texts.unknown}">
${verdict(model, found, deaf, texts)}
${deadSection(found, model, texts)}
${section('matrix', texts.matrix, matrix(model.paths, model.history, limits, model.language, texts))}
${slowProofs(model, texts)}
${receiverSection(model, texts)}
<div class="columns">
<div>${section('alert', texts.realAlert, alertBox(model, texts))}</div>
<div>${section('drills', texts.drills, drillsBox(model, texts))}
${section('canaries', texts.canaries, canariesBox(model, texts))}</div>
<div>${section('credentials', texts.credentials, credentialsBox(model, texts))}</div>
</div>
<details id="rounds"><summary><h2 id="rounds-title">${texts.rounds}</h2></summary>${roundsTable(model, texts)}</details>
<p class="note">${texts.emulated}</p>
</main>
<footer><nav aria-label="${texts.links}"><a href="${model.runbooksUrl}">${texts.runbooks}</a><a href="/metrics">${texts.metrics}</a><a href="/v1/paths">${texts.json}</a>
<a href="?lang=${model.language === 'fr' ? 'en' : 'fr'}" lang="${model.language === 'fr' ? 'en' : 'fr'}">${texts.otherLanguage}</a></nav></footer>
<script>${ownMarkup(SCRIPT)}</script>
</body>
</html>
`;
  return page.markup;
}

/** One sentence for the whole: would an alert arrive? */
function verdict(
  { summary }: PageModel,
  found: readonly Trouble[],
  deaf: readonly DeafTransport[],
  texts: Texts,
): Html {
  const { provedPaths, totalPaths, newestProofAgeMs } = summary;
  if (!summary.anyProved) {
    const since = newestProofAgeMs === null ? texts.sinceStart : texts.since;
    return html`<section class="verdict none" aria-labelledby="verdict"><h1 id="verdict">${texts.noProof} ${since} ${age(summary.silenceMs)}</h1>
<p class="fallback">${texts.fallback}</p></section>`;
  }
  const lastProof = html`<p>${texts.lastProof} ${ago(newestProofAgeMs ?? 0, texts)}<span class="claim"> · ${texts.proofs(provedPaths, totalPaths)}</span></p>`;
  if (deaf.length > 0) {
    const forMs = Math.min(...deaf.map(({ silenceMs }) => silenceMs));
    return html`<section class="verdict none" aria-labelledby="verdict"><h1 id="verdict">${texts.deaf(deafNames(deaf, texts))} ${texts.since} ${age(forMs)}</h1>
<p class="fallback">${texts.deafMeaning}</p>
${lastProof}</section>`;
  }
  const all = provedPaths === totalPaths;
  const isDead = found.length > 0;
  const but = all && isDead ? html`<p class="fallback">${texts.butFaults}</p>` : undefined;
  return html`<section class="verdict ${all && !isDead ? 'all' : 'some'}" aria-labelledby="verdict"><h1 id="verdict">${all ? texts.allProved : texts.someProved}</h1>
${lastProof}${but}</section>`;
}

function deafNames(deaf: readonly DeafTransport[], texts: Texts): string[] {
  return deaf.map(({ transport }) => texts.values[transport] ?? transport);
}

/** What a screen reader is told when it changes, and only then: no ages in it. */
function news(
  { summary }: PageModel,
  found: readonly Trouble[],
  deaf: readonly DeafTransport[],
  texts: Texts,
): string {
  const { anyProved, provedPaths, totalPaths } = summary;
  const sentence = !anyProved
    ? texts.noProof
    : deaf.length > 0
      ? texts.deaf(deafNames(deaf, texts))
      : provedPaths === totalPaths
        ? texts.allProved
        : texts.someProved;
  return `${sentence}. ${texts.deadCount(found.length)}`;
}
