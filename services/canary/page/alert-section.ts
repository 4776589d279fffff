import {
  type AlertTimeline,
  lacksWitnesses,
  type TransportTimeline,
  witnessedAfterMs,
} from '../real-alert/alert-timeline.ts';
import { ago } from './age-markup.ts';
import { formatClock, formatCount, formatDate, formatSeconds } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Language, Texts } from './texts.ts';

/** The newest alert to the public: when it was accepted, handed over, and received by receivers of our own. */
export function alertBox(model: PageModel, texts: Texts): Html {
  const { realAlert: alert, language, wallNowMs } = model;
  if (!alert) return html`<div class="box"><p class="soft">${texts.noRealAlert}</p></div>`;
  const headline = alert.headlines[language] ?? Object.values(alert.headlines)[0] ?? alert.id;
  const afterMs = witnessedAfterMs(alert);
  const isBad = lacksWitnesses(alert, wallNowMs);
  const after =
    afterMs === undefined || alert.witnesses.length === 0
      ? undefined
      : html` ${texts.after} ${formatSeconds(afterMs, language)}`;
  return html`<div class="box ${isBad ? 'bad' : ''}"><p class="lead">${headline}</p>
<p class="soft">${alert.status} · ${alert.msgType} · ${alert.senderName}</p>
<p>${accepted(alert, model, texts)}</p>
<p>${isBad ? SHAPES.unproved : undefined} <b>${texts.receivedBy(alert.witnesses.length, alert.probes)}${after}</b></p>
${transportsTable(alert, language, texts)}
${witnessTable(alert, language, texts)}</div>`;
}

function accepted({ acceptedAtMs }: AlertTimeline, model: PageModel, texts: Texts): Html {
  if (acceptedAtMs === undefined) return html`${texts.acceptedAt} ${texts.acceptedUnknown}`;
  const date = formatDate(acceptedAtMs, model.language);
  return html`${texts.acceptedAt} ${formatClock(acceptedAtMs)} ${texts.utc}, ${date} · ${ago(model.wallNowMs - acceptedAtMs, texts)}`;
}

/** A row for each transport: seconds after acceptance of the first, half, 95 %, 99 % and the last; beneath it the same as a line. */
function transportsTable(alert: AlertTimeline, language: Language, texts: Texts): Html {
  if (alert.transports.length === 0) return html`<p class="soft">${texts.notTaken}</p>`;
  const heads = [...texts.timelineColumns, texts.taken].map(
    (head) => html`<th scope="col" role="columnheader">${head}</th>`,
  );
  const rows = alert.transports.map((part) => {
    const { after } = part;
    const times = after
      ? [after.firstMs, after.p50Ms, after.p95Ms, after.p99Ms, after.lastMs].map((ms) =>
          formatSeconds(ms, language),
        )
      : texts.timelineColumns.map(() => '–');
    const cells = times.map(
      (time, i) =>
        html`<td role="cell"><span class="label" aria-hidden="true">${texts.timelineColumns[i]}</span>${time}</td>`,
    );
    return html`<tr role="row"><th scope="row" role="rowheader">${texts.values[part.transport] ?? part.transport}</th>${cells}
<td role="cell" class="taken">${taken(part, language, texts)}</td></tr>`;
  });
  return html`<table class="list times" role="table"><caption>${texts.timeline}</caption><thead role="rowgroup"><tr role="row"><td role="cell"></td>${heads}</tr></thead><tbody role="rowgroup">${rows}</tbody></table>
${timeLine(alert, language, texts)}`;
}

function taken(
  { accepted: count, audience, pending }: TransportTimeline,
  language: Language,
  texts: Texts,
): string {
  const of = `${formatCount(count, language)} / ${formatCount(audience, language)}`;
  return pending > 0 ? `${of}, ${texts.pending(formatCount(pending, language))}` : of;
}

const LINE_WIDTH = 1000;

/** The table as a drawing, all transports on one scale: a line from the first to the last, heavier up to 95 %; probes as strokes. */
function timeLine(alert: AlertTimeline, language: Language, texts: Texts): Html {
  const { acceptedAtMs, transports, witnesses } = alert;
  const received = (transport: string) =>
    acceptedAtMs === undefined
      ? []
      : witnesses
          .filter((witness) => witness.transport === transport)
          .map(({ receivedAt }) => Math.max(0, Date.parse(receivedAt) - acceptedAtMs));
  const lastMs = Math.max(
    1,
    ...transports.flatMap(({ transport, after }) => [
      ...(after ? [after.lastMs] : []),
      ...received(transport),
    ]),
  );
  const at = (ms: number) => ((ms / lastMs) * (LINE_WIDTH - 12) + 6).toFixed(0);
  const lines = transports.map(({ transport, after }) => {
    const line =
      after &&
      html`<path class="thin" d="M${at(after.firstMs)} 12H${at(after.lastMs)}"/><path class="heavy" d="M${at(after.firstMs)} 12H${at(after.p95Ms)}"/><path class="half" d="M${at(after.p50Ms)} 6V18"/>`;
    const probes = received(transport).map((ms) => html`<path class="probe" d="M${at(ms)} 1V23"/>`);
    return html`<div class="line"><span>${texts.values[transport] ?? transport}</span><svg viewBox="0 0 ${LINE_WIDTH} 24" preserveAspectRatio="none"><path class="axis" d="M0 12H${LINE_WIDTH}"/>${line}${probes}</svg></div>`;
  });
  return html`<div class="lines" aria-hidden="true">${lines}<div class="line scale"><span></span><p><span>0 s</span><span>${formatSeconds(lastMs, language)}</span></p></div><p class="key">${texts.timelineKey}</p></div>`;
}

function witnessTable(alert: AlertTimeline, language: Language, texts: Texts): Html {
  const { acceptedAtMs, witnesses } = alert;
  if (witnesses.length === 0) return html``;
  const rows = witnesses.map(({ probe, transport, via, receivedAt }) => {
    const after =
      acceptedAtMs === undefined
        ? '–'
        : formatSeconds(Math.max(0, Date.parse(receivedAt) - acceptedAtMs), language);
    return html`<tr role="row"><th scope="row" role="rowheader">${probe} <small>${texts.values[transport] ?? transport}</small></th><td role="cell" class="number">${receivedAt.slice(11, 23)}</td><td role="cell" class="number">${after}</td><td role="cell" data-head="${texts.via}">${via}</td></tr>`;
  });
  const heads = [texts.probe, `${texts.receivedAt} (${texts.utc})`, texts.after, texts.via].map(
    (head) => html`<th scope="col" role="columnheader">${head}</th>`,
  );
  return html`<table class="list witnesses" role="table"><thead role="rowgroup"><tr role="row">${heads}</tr></thead><tbody role="rowgroup">${rows}</tbody></table>`;
}
