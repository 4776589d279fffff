import { html, ownMarkup } from './html.ts';
import { runbookMarkup } from './runbook-markup.ts';
import { STYLE } from './style.ts';
import { type Language, textsFor } from './texts.ts';

/** Runbooks by name, as they are written in deploy/runbooks. */
export type Runbooks = ReadonlyMap<string, string>;

/** What to do, readable on a phone and from this canary alone: the night they are needed, little else may answer. */
export function renderRunbook(text: string, language: Language): string {
  return page(language, html`<div class="runbook">${runbookMarkup(text)}</div>`);
}

/** All runbooks, by name. */
export function renderRunbooks(runbooks: Runbooks, language: Language): string {
  const items = [...runbooks].map(
    ([name, text]) =>
      html`<li><a href="/runbooks/${name}?lang=${language}">${titleOf(text) ?? name}</a></li>`,
  );
  return page(
    language,
    html`<h1>${textsFor(language).runbooks}</h1><ul class="runbooks">${items}</ul>`,
  );
}

function titleOf(text: string): string | undefined {
  return /^# (.+)$/m.exec(text)?.[1];
}

function page(language: Language, content: ReturnType<typeof html>): string {
  const texts = textsFor(language);
  return html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${texts.runbooks} · Tocsin</title><style>${ownMarkup(STYLE)}</style></head>
<body><header><strong>TOCSIN</strong><a href="/?lang=${language}">${texts.title}</a></header><main>${content}</main></body></html>
`.markup;
}
