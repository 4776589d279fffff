import { byEnd, type CredentialState, isRefused } from '../../../shared/receipt/credential.ts';
import type { PathState } from '../judge.ts';
import { ago } from './age-markup.ts';
import { formatDate } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

const DAY_MS = 86_400_000;
/** Days left below which there is work to do, and below which somebody is called: those of the rules in deploy/monitoring. */
const ENDS_DAYS = 21;
const ENDS_SOON_DAYS = 3;
const SHOWN = 6;

/** Whole days until the end; negative once it is over; undefined: it has none. Pure. */
function daysLeft({ expiresAt }: CredentialState, nowMs: number): number | undefined {
  return expiresAt === undefined ? undefined : Math.floor((Date.parse(expiresAt) - nowMs) / DAY_MS);
}

/** Undefined: nothing to say about it. Refused, over or nearly so is bad, what ends in weeks is late. Pure. */
export function credentialState(
  credential: CredentialState,
  nowMs: number,
): Extract<PathState, 'unproved' | 'late'> | undefined {
  if (isRefused(credential)) return 'unproved';
  const days = daysLeft(credential, nowMs);
  if (days === undefined || days >= ENDS_DAYS) return undefined;
  return days < ENDS_SOON_DAYS ? 'unproved' : 'late';
}

/**
 * The same credential in several places is one line, proved as long ago as at the worst of them; a place that is refused
 * keeps a line of its own. Pure.
 */
export function groupCredentials(
  credentials: readonly CredentialState[],
  nowMs: number,
): CredentialState[] {
  const groups = new Map<string, CredentialState>();
  for (const each of credentials) {
    const { name, kind, expiresAt, where } = each;
    const own = isRefused(each) ? where : '';
    const key = JSON.stringify([name, kind, expiresAt, own, credentialState(each, nowMs)]);
    const before = groups.get(key);
    groups.set(key, before ? together(before, each) : each);
  }
  return [...groups.values()];
}

function together(a: CredentialState, b: CredentialState): CredentialState {
  const proved = [a.lastProvedAt, b.lastProvedAt];
  const { lastProvedAt: _ofOne, ...rest } = a;
  const [oldest] = proved.flatMap((at) => at ?? []).sort((x, y) => Date.parse(x) - Date.parse(y));
  const isProved = oldest !== undefined && !proved.includes(undefined);
  return {
    ...rest,
    where: a.where === b.where ? a.where : joinPlaces(a.where, b.where),
    ...(isProved ? { lastProvedAt: oldest } : {}),
  };
}

/** `dispatcher a` and `dispatcher b` are `dispatcher a, b`, each named once. */
function joinPlaces(places: string, next: string): string {
  const kind = /^\S+ /.exec(places)?.[0] ?? '';
  const short = kind !== '' && next.startsWith(kind) ? next.slice(kind.length) : next;
  const known = places.slice(kind.length).split(', ');
  return known.includes(short) ? places : `${places}, ${short}`;
}

/** What somebody has to be called for: refused, over, or nearly so; with the runbook. Pure. */
export function credentialFaults(
  { credentials, wallNowMs }: Pick<PageModel, 'credentials' | 'wallNowMs'>,
  texts: Texts,
): { readonly says: Html; readonly runbook: string }[] {
  return groupCredentials(credentials, wallNowMs)
    .filter((each) => credentialState(each, wallNowMs) === 'unproved')
    .map((each) => {
      const word = isRefused(each) ? texts.refused : leftWords(each, wallNowMs, texts);
      const name = `${texts.credentialKinds[each.kind]} ${each.name} (${each.where})`;
      return {
        says: html`${name}${texts.colon} ${word}`,
        runbook: isRefused(each) ? 'credential-refused' : 'credential-ends-soon',
      };
    });
}

function leftWords(credential: CredentialState, nowMs: number, texts: Texts): string {
  const days = daysLeft(credential, nowMs);
  if (days === undefined) return texts.noEnd;
  return days < 0 ? texts.expiredSince(-days - 1) : texts.daysLeft(days);
}

/** What ends or is refused, by days left. Nothing gathered is no good sign. */
export function credentialsBox(model: PageModel, texts: Texts): Html {
  const { credentials, wallNowMs } = model;
  if (credentials.length === 0)
    return html`<div class="box bad"><p>${SHAPES['not-measured']} ${texts.noCredentials}</p></div>`;
  const rank = (each: CredentialState) => (credentialState(each, wallNowMs) === 'unproved' ? 0 : 1);
  const inOrder = byEnd(groupCredentials(credentials, wallNowMs)).sort((a, b) => rank(a) - rank(b));
  const rows = inOrder.map((each) => row(each, model, texts));
  const rest = rows.slice(SHOWN);
  const isBad = inOrder.some((each) => credentialState(each, wallNowMs) === 'unproved');
  const table = (some: readonly Html[]) =>
    html`<table class="list ends"><thead><tr><th scope="col">${texts.credential}</th><th scope="col">${texts.ends}</th></tr></thead><tbody>${some}</tbody></table>`;
  const more =
    rest.length === 0
      ? undefined
      : html`<details id="more-credentials"><summary>${texts.others(rest.length)}</summary>${table(rest)}</details>`;
  return html`<div class="box ${isBad ? 'bad' : ''}">${table(rows.slice(0, SHOWN))}${more}</div>`;
}

function row(credential: CredentialState, model: PageModel, texts: Texts): Html {
  const { name, kind, where, expiresAt, lastProvedAt } = credential;
  const state = credentialState(credential, model.wallNowMs);
  const left = leftWords(credential, model.wallNowMs, texts);
  const end =
    expiresAt === undefined ? undefined : formatDate(Date.parse(expiresAt), model.language);
  const used =
    lastProvedAt === undefined
      ? undefined
      : html` · ${texts.lastUsed} ${ago(model.wallNowMs - Date.parse(lastProvedAt), texts)}`;
  // What is worse stands in the list of what is dead, with its link.
  const link =
    state === 'late'
      ? html` · <a href="${model.runbooksUrl}/credential-ends?lang=${model.language}">${texts.whatToDo}</a>`
      : undefined;
  const word = isRefused(credential) ? `${texts.refused} · ${left}` : left;
  return html`<tr><th scope="row">${name}<small>${texts.credentialKinds[kind]} · ${where}${used}</small></th>
<td><span class="word ${state ?? ''}">${state && SHAPES[state]}${word}</span><small>${end}${link}</small></td></tr>`;
}
