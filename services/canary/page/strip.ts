import {
  BUCKET_MS,
  BUCKET_STATES,
  type BucketState,
  type Segment,
  summarizeSegments,
} from '../history/buckets.ts';
import { formatAge, formatHour } from './ages.ts';
import { type Html, html } from './html.ts';
import type { Texts } from './texts.ts';

/** Height of the drawing; its width is one for each five minutes. */
const HEIGHT = 12;
/** What was bad for five minutes only would be thinner than a hair. */
const MIN_BAD_WIDTH = 4;
/** The worse, the higher, so that nobody needs the colours. */
const BAR: Readonly<Record<BucketState, number>> = {
  proved: 2,
  partly: 6,
  'not-measured': 9,
  unproved: HEIGHT,
};

/** 24 hours of one path as bars; in words: the worst, how long, and when. */
export function strip(segments: readonly Segment[], texts: Texts): Html {
  const [first] = segments;
  const last = segments.at(-1);
  if (!first || !last) return html``;
  const width = (last.toMs - first.fromMs) / BUCKET_MS;
  // The worst is drawn last, above what stands beside it.
  const bars = BUCKET_STATES.flatMap((state) =>
    segments
      .filter((segment) => segment.state === state)
      .map((segment) => bar(segment, first.fromMs, width)),
  );
  return html`<svg class="strip" role="img" aria-label="${stripWords(segments, texts)}" viewBox="0 0 ${width.toFixed(1)} ${HEIGHT}" preserveAspectRatio="none">${bars}</svg>`;
}

function bar({ state, fromMs, toMs }: Segment, startMs: number, width: number): Html {
  const from = (fromMs - startMs) / BUCKET_MS;
  const long = (toMs - fromMs) / BUCKET_MS;
  const wide = state === 'proved' ? long : Math.max(long, MIN_BAD_WIDTH);
  const x = Math.max(0, Math.min(from, width - wide));
  const height = BAR[state];
  return html`<rect class="${state}" x="${x.toFixed(1)}" y="${HEIGHT - height}" width="${wide.toFixed(1)}" height="${height}"/>`;
}

/** What the bars show, for who cannot see them: the worst first, then how long everything else was. */
export function stripWords(segments: readonly Segment[], texts: Texts): string {
  const { worst, longest, totalMs } = summarizeSegments(segments);
  const word = (state: BucketState) => texts.stripStates[state];
  if (segments.length === 1) return `${texts.strip}${texts.colon} ${texts.stripAll(word(worst))}`;
  const totals = [...BUCKET_STATES]
    .reverse()
    .filter((state) => totalMs[state] > 0)
    .map((state) => `${word(state)} ${formatAge(totalMs[state])}`);
  const sentence = texts.stripWorst(
    word(worst),
    formatAge(longest.toMs - longest.fromMs),
    formatHour(longest.fromMs),
    formatHour(longest.toMs),
  );
  return `${texts.strip}${texts.colon} ${sentence} (${totals.join(', ')})`;
}

/** How the bars are read. */
export function stripLegend(texts: Texts): Html {
  const samples = BUCKET_STATES.map((state) => {
    const segment = { state, fromMs: 0, toMs: 5 * BUCKET_MS };
    return html`<li><svg class="strip sample" aria-hidden="true" viewBox="0 0 5 ${HEIGHT}" preserveAspectRatio="none">${bar(segment, 0, 5)}</svg>${texts.stripStates[state]}</li>`;
  });
  return html`<p class="legend-title">${texts.stripMeaning}</p><ul class="legend">${samples}</ul>`;
}
