import { formatAge } from './ages.ts';
import { type Html, html } from './html.ts';
import type { Texts } from './texts.ts';

/** An age that goes on counting where script is on. */
export function age(ageMs: number): Html {
  return html`<span data-age="${Math.round(ageMs)}">${formatAge(ageMs)}</span>`;
}

/** "il y a 4 s", "4 s ago". */
export function ago(ageMs: number, texts: Texts): Html {
  return html`${texts.ago[0]}${age(ageMs)}${texts.ago[1]}`;
}
