import { lateForMs, provedForMs } from '../judge.ts';
import type { ReceiverState } from '../receivers/receiver-log.ts';
import { age, ago } from './age-markup.ts';
import { formatLatency } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { RECEIVER_TEXTS } from './receiver-texts.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

type Shown = Pick<PageModel, 'receivers' | 'language' | 'timetable' | 'summary'>;

/** Each receiver by the age of its last signed receipt: a path is proved by one of them, the others prove themselves. */
export function receiverSection(model: Shown, texts: Texts): Html {
  const { receivers, language } = model;
  if (receivers.length === 0) return html``;
  const { title } = RECEIVER_TEXTS[language];
  return html`<section aria-labelledby="receivers-title"><h2 id="receivers-title">${title}</h2><div class="slow">${receivers.map(
    (receiver) => card(receiver, model, texts),
  )}</div></section>`;
}

/**
 * Receivers that are silent alone. Those that prove paths are the matrix's to tell; while nothing at all is proved the
 * headline says it.
 */
export function receiverFaults(model: Shown): { says: Html; runbook: string }[] {
  const { receivers, timetable, language, summary } = model;
  if (!summary.anyProved) return [];
  return receivers
    .filter(({ kind }) => kind === 'unified-push' || kind === 'browser')
    .filter(({ silenceMs }) => silenceMs > lateForMs(timetable))
    .map((receiver) => ({
      says: html`${RECEIVER_TEXTS[language].silent(nameOf(receiver, model))} ${age(receiver.silenceMs)}`,
      runbook: 'receiver-silent',
    }));
}

function nameOf({ kind, label, name }: ReceiverState, { language }: Shown): string {
  return `${RECEIVER_TEXTS[language].kinds[kind]} ${label ?? name}`;
}

function card(receiver: ReceiverState, model: Shown, texts: Texts): Html {
  const { state, ageMs, silenceMs, latencyMs, kind, label, name } = receiver;
  const { timetable, language } = model;
  const { kinds, receipt } = RECEIVER_TEXTS[language];
  const took = latencyMs === null ? undefined : receipt(formatLatency(latencyMs, language));
  const more = [label === undefined ? name : `${label} (${name})`, ...(took ? [took] : [])];
  return html`<div class="cell ${state}" data-proved-ms="${provedForMs(timetable)}" data-late-ms="${lateForMs(timetable)}"><span class="where"><b>${kinds[kind]}</b></span>
<span class="word">${SHAPES[state]}${texts.states[state]}</span>
<span class="age">${ageMs === null ? age(silenceMs) : ago(ageMs, texts)}</span>
<span class="more">${more.join(' · ')}</span></div>`;
}
