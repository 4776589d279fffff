import { lateForMs, provedForMs, stateAt, type Timetable } from '../judge.ts';
import { age, ago } from './age-markup.ts';
import { formatAge, formatLatency } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

/** Something that the slow proofs say is broken, and the runbook for it. */
interface SlowFault {
  readonly says: Html;
  readonly runbook: string;
}

/** Proofs that come every few minutes or hours, each by its age against its own period. */
export function slowProofs(model: PageModel, texts: Texts): Html {
  const cards = [
    ...storedCard(model, texts),
    ...refusalCards(model, texts),
    ...clockCard(model, texts),
  ];
  if (cards.length === 0) return html``;
  return html`<section aria-labelledby="slow-title"><h2 id="slow-title">${texts.slow}</h2><div class="slow">${cards}</div></section>`;
}

/** What the slow proofs say is broken: only ever bad news. */
export function slowFaults(model: PageModel, texts: Texts): SlowFault[] {
  return [
    ...refusalFaults(model, texts),
    ...storedFaults(model, texts),
    ...clockFaults(model, texts),
  ];
}

/** The attributes by which the page's script lets a card grow old. */
function ageLimits(timetable: Timetable): Html {
  return html`data-proved-ms="${provedForMs(timetable)}" data-late-ms="${lateForMs(timetable)}"`;
}

function storedCard({ stored, language }: PageModel, texts: Texts): Html[] {
  if (!stored) return [];
  const { judged, timetable } = stored;
  const { state, ageMs, silenceMs, latencyMs, consecutiveMisses } = judged;
  const more = [texts.storedEvery(formatAge(timetable.periodMs))];
  if (state === 'proved' && latencyMs !== null)
    more.push(texts.storedFound(formatLatency(latencyMs, language)));
  if (consecutiveMisses > 0) more.push(texts.missed(consecutiveMisses));
  return [
    html`<div class="cell ${state}" ${ageLimits(timetable)}><span class="where"><b>${texts.stored}</b></span>
<span class="word">${SHAPES[state]}${texts.states[state]}</span>
<span class="age">${ageMs === null ? age(silenceMs) : ago(ageMs, texts)}</span>
<span class="more">${more.join(' · ')}</span></div>`,
  ];
}

function storedFaults({ stored }: PageModel, texts: Texts): SlowFault[] {
  if (!stored) return [];
  const { judged, timetable } = stored;
  // Never proved counts once there was time for it.
  if (judged.silenceMs <= lateForMs(timetable)) return [];
  const says = html`${texts.storedFails} ${age(judged.silenceMs)}`;
  return [{ says, runbook: 'stored-path-unproved' }];
}

function refusalCards({ refusals }: PageModel, texts: Texts): Html[] {
  if (!refusals) return [];
  const { kinds, timetable } = refusals;
  return kinds.map(({ kind, state, ageMs, silenceMs, accepted }) => {
    const word = state === 'proved' ? texts.refusedState : texts.states[state];
    const more =
      accepted > 0
        ? texts.refusalAccepted(accepted)
        : texts.refusalEvery(formatAge(timetable.periodMs));
    // What was accepted once does not turn into something milder by its age.
    const limits = accepted > 0 ? undefined : ageLimits(timetable);
    return html`<div class="cell ${state}" ${limits}><span class="where"><b>${texts.refusalKinds[kind]}</b></span>
<span class="word">${SHAPES[state]}${accepted > 0 ? texts.acceptedState : word}</span>
<span class="age">${ageMs === null ? age(silenceMs) : ago(ageMs, texts)}</span>
<span class="more">${more}</span></div>`;
  });
}

function refusalFaults({ refusals }: PageModel, texts: Texts): SlowFault[] {
  if (!refusals) return [];
  const { kinds, timetable } = refusals;
  const shown = kinds
    .filter(({ accepted }) => accepted > 0)
    .map(({ kind }) => ({
      says: html`${texts.refusalShown(texts.refusalKinds[kind])}`,
      runbook: 'negative-canary-shown',
    }));
  const silent = kinds
    .filter(({ accepted, silenceMs }) => accepted === 0 && silenceMs > lateForMs(timetable))
    .map(({ kind, silenceMs }) => ({
      says: html`${texts.refusalSilent(texts.refusalKinds[kind])} ${age(silenceMs)}`,
      runbook: 'negative-canary-silent',
    }));
  return [...shown, ...silent];
}

/** Beyond this a message that is about to expire is judged wrongly somewhere; measuring is good to half a second. */
const MAX_SKEW_MS = 5_000;
/** Clocks are compared each half minute. */
const CLOCK_TIMETABLE: Timetable = { periodMs: 60_000, limitMs: 2_000 };

/** By the oldest comparison: one that was made is no word for another. */
function clockCard({ clocks, ageNowMs }: PageModel, texts: Texts): Html[] {
  if (clocks.length === 0) return [];
  const ages = clocks.map(({ measuredAtMs }) => ageNowMs - measuredAtMs);
  const oldestMs = Math.max(...ages);
  const compared = ages.filter((ageMs) => stateAt(ageMs, CLOCK_TIMETABLE) === 'proved').length;
  const isOff = clocks.some(({ skewMs }) => Math.abs(skewMs) > MAX_SKEW_MS);
  const state = isOff ? 'unproved' : stateAt(oldestMs, CLOCK_TIMETABLE);
  const word = state === 'proved' ? texts.clocksAgree : texts.states[state];
  return [
    html`<div class="cell ${state}" ${isOff ? undefined : ageLimits(CLOCK_TIMETABLE)}><span class="where"><b>${texts.clocks}</b></span>
<span class="word">${SHAPES[state]}${isOff ? texts.clocksApart : word}</span>
<span class="age">${ago(oldestMs, texts)}</span>
<span class="more">${texts.clocksCompared(compared, clocks.length)}</span></div>`,
  ];
}

function clockFaults({ clocks }: PageModel, texts: Texts): SlowFault[] {
  return clocks
    .filter(({ skewMs }) => Math.abs(skewMs) > MAX_SKEW_MS)
    .map(({ kind, name, skewMs }) => ({
      says: html`${texts.clockOff(kind, name, formatAge(Math.abs(skewMs)).replaceAll(' ', '\u00a0'), skewMs > 0)}`,
      runbook: 'clock-skew',
    }));
}
