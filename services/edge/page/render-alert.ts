import type { Info } from '../../../shared/alert/alert.ts';
import { levelOf } from '../../../shared/alert/level.ts';
import type { ShownAlert } from '../alerts/alert-state.ts';
import { type Html, html } from './html.ts';
import { type PageLanguage, type PageTexts, pageTexts } from './texts.ts';

/** An alert's page fits into the first flight of a connection (about 14 KB), so it opens on a bad network too. */
export const MAX_PAGE_BYTES = 14 * 1024;

const textsOf = (info: Info): { language: PageLanguage; texts: PageTexts } => {
  const language = info.language.startsWith('fr') ? 'fr' : 'en';
  return { language, texts: pageTexts(language) };
};

/** A CAP instant as the clock on the sender's wall: its own offset, no time zone data needed. */
export function wallClock(instant: string, language: PageLanguage): string {
  const format = new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  return format.format(new Date(`${instant.slice(0, 19)}Z`));
}

/** The word above an alert that says what it is. */
function labels({ envelope, state }: ShownAlert, info: Info, texts: PageTexts): Html {
  const { alert } = envelope;
  const kind =
    alert.msgType === 'Cancel'
      ? texts.cancelMessage
      : alert.msgType === 'Update'
        ? texts.updateMessage
        : undefined;
  return html`<p class="labels">${alert.status === 'Exercise' && html`<strong class="label exercise">${texts.exercise}</strong> `}${
    kind !== undefined && html`<span class="label">${kind}</span> `
  }${alert.msgType !== 'Cancel' && html`<span class="label state">${texts.states[state]}</span> `}${
    alert.msgType !== 'Cancel' &&
    alert.status !== 'Exercise' &&
    html`<span class="label severity">${texts.severities[info.severity]}</span>`
  }</p>`;
}

/** One alert on the list, in the language of the page where the alert has it. */
export function alertCard(shown: ShownAlert, language: PageLanguage): Html {
  const { alert, id } = shown.envelope;
  const info = alert.info.find((each) => each.language.startsWith(language)) ?? alert.info[0];
  if (!info) return html``;
  const texts = pageTexts(language);
  return html`<li><article class="alert ${shown.state} ${levelOf(alert)}" lang="${info.language}" aria-labelledby="a-${id}">
${labels(shown, info, texts)}
<h3 id="a-${id}"><a href="/alerts/${id}">${info.headline}</a></h3>
${info.instruction !== undefined && shown.state === 'active' && html`<p class="instruction">${info.instruction}</p>`}
<p class="meta">${info.senderName} · <time datetime="${alert.sent}">${wallClock(alert.sent, language)}</time></p>
</article></li>`;
}

function alertSection(shown: ShownAlert, info: Info): Html {
  const { alert } = shown.envelope;
  const { language, texts } = textsOf(info);
  return html`<article class="alert full ${shown.state} ${levelOf(alert)}" lang="${info.language}">
${labels(shown, info, texts)}
<h1>${info.headline}</h1>
${info.instruction !== undefined && html`<h2>${texts.whatToDo}</h2><p class="instruction">${info.instruction}</p>`}
<p>${info.description}</p>
<dl><dt>${texts.area}</dt><dd>${info.area.map((each) => each.areaDesc).join(', ')}</dd>
<dt>${texts.issued}</dt><dd><time datetime="${alert.sent}">${wallClock(alert.sent, language)}</time></dd>
<dt>${texts.until}</dt><dd><time datetime="${info.expires}">${wallClock(info.expires, language)}</time></dd>
<dt>${texts.by}</dt><dd>${info.senderName}</dd></dl>
</article>`;
}

/** French first, then English, then the rest as the sender ordered it. */
function inReadingOrder(infos: readonly Info[]): Info[] {
  const rank = ({ language }: Info) =>
    language.startsWith('fr') ? 0 : language.startsWith('en') ? 1 : 2;
  return [...infos].sort((a, b) => rank(a) - rank(b));
}

/** The page of one alert: every language that fits into MAX_PAGE_BYTES, the first one always. No script. */
export function alertPage(shown: ShownAlert): string {
  const infos = inReadingOrder(shown.envelope.alert.info);
  const first = infos[0];
  if (!first) return '';
  const { texts } = textsOf(first);
  const page = (sections: readonly Html[]) =>
    html`<!doctype html>
<html lang="${first.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${first.headline} — Tocsin</title><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/style.css"><link rel="icon" href="/icon.svg" type="image/svg+xml"></head>
<body><header class="top"><a class="brand" href="/"><img src="/icon.svg" alt="" width="32" height="32"> Tocsin</a></header>
<main id="main" class="narrow">${sections}<p><a href="/">${texts.back}</a></p></main></body></html>
`.html;
  const sections: Html[] = [];
  for (const info of infos) {
    const more = [...sections, alertSection(shown, info)];
    if (sections.length === 0 || Buffer.byteLength(page(more)) <= MAX_PAGE_BYTES)
      sections.splice(0, sections.length, ...more);
  }
  return page(sections);
}
