import { type Html, html } from './html.ts';

/** What runbooks use of Markdown: headings, numbered lists, paragraphs, and the marks of {@link inline}. Escapes all of it. */
export function runbookMarkup(text: string): Html {
  const blocks = text.split(/\n{2,}/).filter((block) => block.trim() !== '');
  return html`${blocks.map((block) => blockMarkup(block.trim()))}`;
}

function blockMarkup(block: string): Html {
  const heading = /^(#{1,2}) (.+)$/.exec(block);
  if (heading?.[1] === '#') return html`<h1>${heading[2]}</h1>`;
  if (heading) return html`<h2>${heading[2]}</h2>`;
  const items = block.split('\n');
  if (items.every((item) => /^\d+\. /.test(item)))
    return html`<ol>${items.map((item) => html`<li>${inline(item.replace(/^\d+\. /, ''))}</li>`)}</ol>`;
  return html`<p>${inline(block)}</p>`;
}

/** `**bold**`, `*italic*`, code, and links: to another runbook; of any other only the words are kept. */
function inline(text: string): Html {
  const parts = text.split(/(\*\*[^*]+\*\*|\*[^*]+\*|`[^`]+`|\[[^\]]+\]\([^)]+\))/);
  return html`${parts.map(partMarkup)}`;
}

function partMarkup(part: string): Html {
  const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
  if (link) {
    const runbook = /^([a-z0-9-]+)\.md$/.exec(link[2] ?? '')?.[1];
    return runbook === undefined
      ? html`${link[1]}`
      : html`<a href="/runbooks/${runbook}">${link[1]}</a>`;
  }
  if (part.length > 4 && part.startsWith('**')) return html`<b>${part.slice(2, -2)}</b>`;
  if (part.length > 2 && part.startsWith('*')) return html`<i>${part.slice(1, -1)}</i>`;
  if (part.length > 2 && part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
  return html`${part}`;
}
