/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = Html | readonly Html[] | string | number | undefined | false;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** No line breaks before French `: ; ! ? »` or after `«`, which have a space there, nor between a number and its word. */
const keepTogether = (text: string) =>
  text
    .replaceAll(/ (?=[:;!?»])/g, '\u00a0')
    .replaceAll('« ', '«\u00a0')
    .replaceAll(/(?<=\d) (?=\p{L})/gu, '\u00a0');

const escapeHtml = (text: string) =>
  keepTogether(text).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** A template whose values are escaped, unless they were made by this template themselves. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.reduce((text, piece, i) => text + render(parts[i - 1]) + piece) };
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string' || typeof part === 'number') return escapeHtml(String(part));
  return 'html' in part ? part.html : part.map((each) => each.html).join('');
}
