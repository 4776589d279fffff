import { byEnd, type CredentialState, isRefused } from '../../../shared/receipt/credential.ts';
import type { PathState } from '../judge.ts';
import { ago } from './age-markup.ts';
import { formatDate } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import type { Texts } from './texts.ts';

const DAY_MS = 86_400_000;
/** With fewer days left somebody has to act this week. */
export const SOON_DAYS = 14;
const SHOWN = 6;

/** Whole days until the end; negative once it is over; undefined: it has none. Pure. */
export function daysLeft({ expiresAt }: CredentialState, nowMs: number): number | undefined {
  return expiresAt === undefined ? undefined : Math.floor((Date.parse(expiresAt) - nowMs) / DAY_MS);
}

/** Undefined: nothing to say about it. Refused or over is bad, what ends soon is late. Pure. */
export function credentialState(
  credential: CredentialState,
  nowMs: number,
): Extract<PathState, 'unproved' | 'late'> | undefined {
  if (isRefused(credential)) return 'unproved';
  const days = daysLeft(credential, nowMs);
  if (days === undefined || days >= SOON_DAYS) return undefined;
  return days < 0 ? 'unproved' : 'late';
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
    where: `${a.where}, ${shortPlace(a.where, b.where)}`,
    ...(isProved ? { lastProvedAt: oldest } : {}),
  };
}

/** `dispatcher a`, `dispatcher b` → `b` */
function shortPlace(first: string, next: string): string {
  const kind = /^\S+ /.exec(first)?.[0] ?? '';
  return kind !== '' && next.startsWith(kind) ? next.slice(kind.length) : next;
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
  const days = daysLeft(credential, model.wallNowMs);
  const left =
    days === undefined
      ? texts.noEnd
      : days < 0
        ? texts.expiredSince(-days - 1)
        : texts.daysLeft(days);
  const end =
    expiresAt === undefined ? undefined : formatDate(Date.parse(expiresAt), model.language);
  const used =
    lastProvedAt === undefined
      ? undefined
      : html` · ${texts.lastUsed} ${ago(model.wallNowMs - Date.parse(lastProvedAt), texts)}`;
  const word = isRefused(credential) ? `${texts.refused} · ${left}` : left;
  return html`<tr><th scope="row">${name}<small>${texts.credentialKinds[kind]} · ${where}${used}</small></th>
<td><span class="word ${state ?? ''}">${state && SHAPES[state]}${word}</span><small>${end}</small></td></tr>`;
}
