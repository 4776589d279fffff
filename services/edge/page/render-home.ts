import type { ShownAlert } from '../alerts/alert-state.ts';
import { type Html, html } from './html.ts';
import { alertCard } from './render-alert.ts';
import { type PageLanguage, type PageTexts, pageTexts, QUICK_AREAS } from './texts.ts';

/** Past alerts that the page still lists. */
const MAX_ENDED = 10;

/** The public page: readable without script; the form shows itself once a script can serve it. */
export function homePage(alerts: readonly ShownAlert[], language: PageLanguage): string {
  const texts = pageTexts(language);
  const link = (code: PageLanguage, name: string) =>
    html`<a href="/?lang=${code}" lang="${code}" hreflang="${code}" ${language === code && html`aria-current="true"`}>${name}</a>`;
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${texts.title}</title><meta name="description" content="${texts.description}"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/style.css"><link rel="icon" href="/icon.svg" type="image/svg+xml"><link rel="manifest" href="/manifest.webmanifest">
<script type="module" src="/page.js"></script></head>
<body><a class="skip" href="#main">${texts.skip}</a>
<header class="top"><a class="brand" href="/"><img src="/icon.svg" alt="" width="32" height="32"> Tocsin</a>
<nav class="languages" aria-label="${texts.languages}">${link('fr', 'Français')} ${link('en', 'English')}</nav></header>
<main id="main">
<div class="hero"><h1>${texts.hero}</h1><p class="lead">${texts.lead}</p></div>
<p id="news" role="status" aria-live="polite"></p>
${alertLists(alerts, language, texts)}
${subscription(texts)}
<section class="card" aria-labelledby="how-title"><h2 id="how-title">${texts.howTitle}</h2><ul class="plain">${texts.how.map(
    (each) => html`<li>${each}</li>`,
  )}</ul></section>
</main><footer>${texts.footer}</footer></body></html>
`.html;
}

function alertLists(alerts: readonly ShownAlert[], language: PageLanguage, texts: PageTexts): Html {
  const onPage = new Set(alerts.map(({ envelope }) => envelope.id));
  // A Cancel shows as the state of its alert; by itself only where that alert is not on the page.
  const current = alerts.filter(
    ({ state, envelope }) =>
      state === 'active' &&
      !(envelope.alert.msgType === 'Cancel' && envelope.references.some((id) => onPage.has(id))),
  );
  const ended = alerts
    .filter(({ state, envelope }) => state !== 'active' && envelope.alert.msgType !== 'Cancel')
    .slice(0, MAX_ENDED);
  const cards = (list: readonly ShownAlert[]) =>
    html`<ul class="alerts">${list.map((each) => alertCard(each, language))}</ul>`;
  return html`<section id="alerts" class="card" aria-labelledby="alerts-title"><h2 id="alerts-title">${texts.currentTitle}</h2>
${current.length > 0 ? cards(current) : html`<p class="calm">${texts.calm}</p>`}
${ended.length > 0 && html`<details class="ended"><summary>${texts.endedTitle} (${ended.length})</summary>${cards(ended)}</details>`}
</section>`;
}

function subscription(texts: PageTexts): Html {
  return html`<section class="card" aria-labelledby="subscribe-title"><h2 id="subscribe-title">${texts.subscribeTitle}</h2>
<noscript><p class="notice">${texts.noScript}</p></noscript>
<div id="subscription" data-state="loading" hidden>
<p id="state" class="notice" role="status" aria-live="polite" tabindex="-1"></p>
<div id="denied" class="notice" hidden><h3>${texts.deniedTitle}</h3><ol>${texts.deniedSteps.map((each) => html`<li>${each}</li>`)}</ol></div>
<div id="ios" class="notice" hidden><h3>${texts.iosTitle}</h3><p>${texts.ios}</p></div>
<form id="form" novalidate>
<fieldset><legend>${texts.where}</legend><div id="areas" class="chips">${QUICK_AREAS.map(
    ({ code, name }) =>
      html`<label class="chip"><input type="checkbox" name="area" value="${code}"><span>${name}</span></label>`,
  )}</div>
<label for="code" class="label-above">${texts.otherCode}</label>
<p id="code-help" class="help">${texts.codeHelp}</p>
<div class="row"><input id="code" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="5" size="7" aria-describedby="code-help code-error"><button type="button" id="add" class="quiet">${texts.add}</button></div>
<p id="code-error" class="error" role="alert"></p></fieldset>
<div class="row"><button type="submit" id="subscribe">${texts.subscribe}</button><button type="button" id="unsubscribe" class="quiet" hidden>${texts.unsubscribe}</button></div>
</form></div></section>`;
}
