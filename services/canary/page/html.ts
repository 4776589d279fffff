/** A piece of HTML that is safe to send: everything in it that came from outside is escaped. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[] | undefined;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return keepTogether(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/**
 * French sets a space before `: ; ! ? »` and after `«`, and no line may break there, nor between a number and its word
 * or `%`. English has none of the former, so the rule serves both.
 */
export function keepTogether(text: string): string {
  return text
    .replaceAll(/ (?=[:;!?»])/g, '\u00a0')
    .replaceAll('« ', '«\u00a0')
    .replaceAll(/(?<=\d) (?=[\p{L}%])/gu, '\u00a0');
}

function markupOf(value: Value): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  if ('markup' in value) return value.markup;
  return value.map(({ markup }) => markup).join('');
}

/** Template for HTML: what is put in is escaped (also within quoted attributes), unless it is Html itself. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return {
    markup: parts.map((part, i) => part + (i < values.length ? markupOf(values[i]) : '')).join(''),
  };
}

/** For our own style sheet and script, whose text must not be escaped. */
export function ownMarkup(markup: string): Html {
  return { markup };
}
