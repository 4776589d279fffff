import { textsFor } from '../../services/canary/page/texts.ts';

/** What the on-call page says to who reads it in English. */
export interface PageWords {
  readonly headline: string;
  /** Everything bad, the headline included unless it says that all is well. */
  readonly trouble: readonly string[];
}

const TEXTS = textsFor('en');

/** Reads a page as a person would: its headline, and everything bad that it says. Pure. */
export function readPage(html: string): PageWords {
  const headline = textOf(/<h1[^>]*>([\s\S]*?)<\/h1>/.exec(html)?.[1] ?? '');
  const lists = [...html.matchAll(/<ul class="findings">([\s\S]*?)<\/ul>/g)].map(
    ([, list = '']) => list,
  );
  const findings = lists.flatMap((list) =>
    [...list.matchAll(/<b>([\s\S]*?)<\/b>/g)].map(([, words = '']) => textOf(words)),
  );
  const others = html.includes(TEXTS.canaryUnreachable)
    ? [`${TEXTS.canaries}: ${TEXTS.canaryUnreachable}`]
    : [];
  return {
    headline,
    trouble: [...(headline === TEXTS.allProved ? [] : [headline]), ...findings, ...others],
  };
}

function textOf(markup: string): string {
  return markup
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll(/\s+/g, ' ')
    .trim();
}
