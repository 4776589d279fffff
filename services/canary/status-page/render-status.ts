import { createHash } from 'node:crypto';
import type { ShownDay } from '../history/device-days.ts';
import { formatAge } from '../page/ages.ts';
import { type Html, html, ownMarkup } from '../page/html.ts';
import { SHAPES } from '../page/shapes.ts';
import type { Language } from '../page/texts.ts';
import type { DeviceStatus, StatusReport } from './status-report.ts';
import { STATUS_SCRIPT } from './status-script.ts';
import { STATUS_STYLE } from './status-style.ts';
import { type StatusTexts, statusTextsFor } from './status-texts.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

/** Everything is in the one file, so that no half of a page can be served; nothing else may run or be loaded. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${sha256(STATUS_STYLE)}'`,
  `script-src 'sha256-${sha256(STATUS_SCRIPT)}'`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

interface StatusOptions {
  readonly language: Language;
  /** Proofs by simulated devices are not passed off as others. */
  readonly isDemonstration: boolean;
}

/** The public's page as one file of HTML. Pure. */
export function renderStatus(report: StatusReport, options: StatusOptions): string {
  const { language } = options;
  const texts = statusTextsFor(language);
  const writtenMs = Date.parse(report.writtenAt);
  const demonstration = options.isDemonstration
    ? html`<p class="demo">${texts.demonstration}</p>`
    : undefined;
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${texts.headline[report.state]} · Tocsin</title>
<noscript><meta http-equiv="refresh" content="60"></noscript>
<style>${ownMarkup(STATUS_STYLE)}</style>
</head>
<body data-written="${writtenMs}" data-stale-ms="${report.staleAfterSeconds * 1000}">
<div id="stale" role="alert" hidden><div><strong>${texts.stale}</strong><p>${texts.staleMeaning} <span aria-hidden="true"></span></p></div></div>
<noscript><div class="timed"><p class="demo">${texts.stale}. ${written(writtenMs, language, texts)}</p></div></noscript>
<p class="unseen" role="status" id="news"></p>
<header><strong>TOCSIN</strong><span>${texts.title}</span></header>
<main>
${demonstration}
<section class="verdict ${report.state}" aria-labelledby="verdict"><h1 id="verdict">${texts.headline[report.state]}</h1>
<p class="meaning">${texts.meaning[report.state]}</p>
<p class="written">${written(writtenMs, language, texts)} ${texts.staleRule}</p></section>
<h2 id="devices">${texts.byDevice}</h2>
<ul class="devices" aria-labelledby="devices">${report.devices.map((each) => deviceCard(each, writtenMs, texts))}</ul>
<h2>${texts.history}</h2>
<p class="help">${texts.historyHelp}</p>
${legend(texts)}
${report.devices.map((each) => deviceDays(each, texts))}
${lostDays(report, language, texts)}
<p class="how">${texts.how}</p>
<p class="danger">${texts.danger}</p>
</main>
<footer><nav><a href="status.json">${texts.data}</a><a href="${texts.otherFile}" lang="${language === 'fr' ? 'en' : 'fr'}">${texts.otherLanguage}</a></nav></footer>
<script>${ownMarkup(STATUS_SCRIPT)}</script>
</body>
</html>
`.markup;
}

function written(writtenMs: number, language: Language, texts: StatusTexts): string {
  const instant = new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    timeZone: 'Europe/Paris',
    dateStyle: 'long',
    timeStyle: 'short',
  }).format(writtenMs);
  return texts.writtenAt(
    ordinalFirst(instant, language),
    new Date(writtenMs).toISOString().slice(11, 16),
  );
}

/** French says `1er juillet`, and every other day as a plain number. */
function ordinalFirst(date: string, language: Language): string {
  return language === 'fr' ? date.replace(/^1(?=\s)/, '1er') : date;
}

function deviceCard(
  { device, state, lastProofAt }: DeviceStatus,
  writtenMs: number,
  texts: StatusTexts,
): Html {
  const [name, what] = texts.devices[device];
  const proof =
    lastProofAt === null
      ? html`${texts.neverProved}`
      : html`${texts.lastProof} ${texts.ago[0]}<span data-age="${writtenMs - Date.parse(lastProofAt)}">${formatAge(writtenMs - Date.parse(lastProofAt))}</span>${texts.ago[1]}`;
  return html`<li class="${state}"><b>${name}</b><small>${what}</small>
<p class="word">${SHAPES[state]}${texts.states[state]}</p><p>${proof}</p></li>`;
}

const HEIGHT = 44;
const DAY_WIDTH = 10;
/** Beyond so many minutes without proof a bar has its height; the worse the day, the higher. */
const STEPS = [
  { aboveMinutes: 60, height: 40 },
  { aboveMinutes: 5, height: 26 },
  { aboveMinutes: 0, height: 14 },
] as const;
const WHOLE_HEIGHT = 4;

/** Half of a day without any measurement is a day that nobody knows; but what failed on it was seen. */
function isUnknown({ provedMinutes, unprovedMinutes, notMeasuredMinutes }: ShownDay): boolean {
  return unprovedMinutes === 0 && notMeasuredMinutes > provedMinutes;
}

/** Minutes that were not proved: those that nobody measured are among them. */
function lostMinutes({ unprovedMinutes, notMeasuredMinutes }: ShownDay): number {
  return unprovedMinutes + notMeasuredMinutes;
}

function dayBar(day: ShownDay, x: number): Html {
  const width = DAY_WIDTH - 2;
  if (isUnknown(day))
    return html`<rect class="unknown" x="${x + 1}" y="${HEIGHT - 40}" width="${width - 2}" height="38"/>`;
  const lost = lostMinutes(day);
  const height = STEPS.find(({ aboveMinutes }) => lost > aboveMinutes)?.height ?? WHOLE_HEIGHT;
  return html`<rect class="${lost > 0 ? 'bad' : 'whole'}" x="${x}" y="${HEIGHT - height}" width="${width}" height="${height}"/>`;
}

function deviceDays({ device, days }: DeviceStatus, texts: StatusTexts): Html {
  const [name] = texts.devices[device];
  const unknown = days.filter((day) => isUnknown(day)).length;
  const whole = days.filter((day) => !isUnknown(day) && lostMinutes(day) === 0).length;
  const words = texts.daysSummary(name, whole, days.length - whole - unknown, unknown);
  const bars = days.map((day, i) => dayBar(day, i * DAY_WIDTH));
  return html`<div class="row"><p>${name}</p><svg class="bars" role="img" aria-label="${words}" viewBox="0 0 ${days.length * DAY_WIDTH - 2} ${HEIGHT}" preserveAspectRatio="none">${bars}</svg></div>`;
}

function legend(texts: StatusTexts): Html {
  const day = (unprovedMinutes: number, notMeasuredMinutes = 0): ShownDay => ({
    day: '',
    provedMinutes: notMeasuredMinutes > 0 ? 0 : 1440,
    unprovedMinutes,
    notMeasuredMinutes,
  });
  const samples = [day(0), day(3), day(30), day(300), day(0, 1440)];
  return html`<ul class="legend">${samples.map(
    (sample, i) =>
      html`<li><svg class="bars" aria-hidden="true" viewBox="0 0 8 ${HEIGHT}" preserveAspectRatio="none">${dayBar(sample, 0)}</svg>${texts.samples[i]}</li>`,
  )}</ul>`;
}

/** The same in words and numbers: every day on which minutes are missing, newest first. */
function lostDays({ devices }: StatusReport, language: Language, texts: StatusTexts): Html {
  const dayName = new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    timeZone: 'UTC',
    day: 'numeric',
    month: 'long',
  });
  const tables = devices.map(({ device, days }) => {
    const lost = days.filter((day) => lostMinutes(day) > 0).toReversed();
    if (lost.length === 0) return html`<p><b>${texts.devices[device][0]}</b> ${texts.noneLost}</p>`;
    const rows = lost.map(
      ({ day, unprovedMinutes, notMeasuredMinutes }) =>
        html`<tr><th scope="row">${ordinalFirst(dayName.format(Date.parse(day)), language)}</th><td>${texts.minutes(unprovedMinutes)}</td><td>${texts.minutes(notMeasuredMinutes)}</td></tr>`,
    );
    return html`<table><caption>${texts.devices[device][0]}</caption><thead><tr><th scope="col">${texts.day} (UTC)</th><th scope="col">${texts.unproved}</th><th scope="col">${texts.notMeasured}</th></tr></thead><tbody>${rows}</tbody></table>`;
  });
  return html`<details><summary>${texts.days}</summary>${tables}</details>`;
}
