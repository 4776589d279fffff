import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { Finding } from '../diagnosis.ts';
import type { RoundResult } from '../judge.ts';
import { pathName } from '../paths.ts';
import type { OtherCanary } from '../watch-peers.ts';
import { age, ago } from './age-markup.ts';
import { formatLatency } from './ages.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { SHAPES } from './shapes.ts';
import { slowFaults } from './slow-proofs.ts';
import type { PathPart, Texts } from './texts.ts';

const ROUNDS_SHOWN = 12;
const FINDINGS_SHOWN = 8;

/** What failing paths have in common, and processes at fault: only ever bad news, nothing when there is none. */
export function findingsList(model: PageModel, texts: Texts): Html {
  const { findings, unready, runbooksUrl, language } = model;
  const link = (name: string) =>
    html`<a href="${runbooksUrl}/${name}?lang=${language}">${texts.whatToDo}</a>`;
  const causes = findings.slice(0, FINDINGS_SHOWN).map((finding) => {
    const stage = finding.stage === undefined ? '' : ` · ${texts.stages[finding.stage]}`;
    return html`<li>${SHAPES.unproved}<span><b>${sentence(finding, texts)} ${age(finding.forMs)}</b>
<small>${texts.pathCount(finding.paths)}${stage}</small><br>${link(runbookOf(finding))}</span></li>`;
  });
  const processes = unready.map(
    (node) =>
      html`<li>${SHAPES.unproved}<span><b>${texts.unready(node)}</b>${link('process-at-fault')}</span></li>`,
  );
  const section = (title: string, items: readonly Html[]) =>
    items.length === 0 ? html`` : html`<h2>${title}</h2><ul class="findings">${items}</ul>`;
  const slow = slowFaults(model, texts).map(
    ({ says, runbook }) =>
      html`<li>${SHAPES.unproved}<span><b>${says}</b>${link(runbook)}</span></li>`,
  );
  return html`${section(texts.causes, causes)}${section(texts.slowFails, slow)}${section(texts.processes, processes)}`;
}

function sentence({ common }: Finding, texts: Texts): string {
  const { ingest, lane, dispatcher, transport } = common;
  if (ingest && lane && dispatcher && transport)
    return texts.onePathFails(describePath({ ingest, lane, dispatcher, transport }, texts));
  const parts = Object.entries(common) as [PathPart, string][];
  if (parts.length === 0) return texts.allFail;
  return texts.pathsFail(
    texts.joinPhrases(parts.map(([part, value]) => texts.partPhrase(part, value))),
  );
}

/** The runbook for what failing paths have in common: the whole, one part, or one route of several parts. */
export function runbookOf({ common }: Finding): string {
  const parts = Object.keys(common) as PathPart[];
  const [part] = parts;
  if (part === undefined) return 'no-proof';
  return parts.length === 1 ? `${part}-unproved` : 'route-unproved';
}

/** `a → bus → b → FCM` */
function describePath(path: CanaryPath, texts: Texts): string {
  const word = (value: string) => texts.values[value] ?? value;
  return [path.ingest, word(path.lane), path.dispatcher, word(path.transport)].join(' → ');
}

/** The newest alert to the public that our own receivers got: what was really received, not what was sent. */
export function realAlertBox({ realAlert, probeCount }: PageModel, texts: Texts): Html {
  if (!realAlert) return html`<div class="box"><p class="soft">${texts.noRealAlert}</p></div>`;
  const { message, witnesses } = realAlert;
  const rows = witnesses.map(
    ({ probe, transport, via, receivedAt }) =>
      html`<tr><td>${probe} (${texts.values[transport]})</td><td class="number">${receivedAt.slice(11, 23)} ${texts.utc}</td><td>${via}</td></tr>`,
  );
  return html`<div class="box ${witnesses.length < probeCount ? 'bad' : ''}"><p class="lead">${message.headline}</p>
<p class="soft">${message.status} · ${message.msgType} · ${message.senderName} · ${message.sent}</p>
<p><b>${texts.receivedBy(witnesses.length, probeCount)}</b></p>
<table class="list"><thead><tr><th>${texts.probe}</th><th>${texts.receivedAt}</th><th>${texts.via}</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** What the other canaries say of themselves; one that does not answer is bad. */
export function canariesBox(model: PageModel, texts: Texts): Html {
  if (model.otherCanaries.length === 0)
    return html`<div class="box bad"><p>${texts.noOtherCanary}</p></div>`;
  return html`${model.otherCanaries.map((other) => canaryBox(other, model, texts))}`;
}

function canaryBox(other: OtherCanary, model: PageModel, texts: Texts): Html {
  const proofAgeMs =
    other.newestProofAtMs === undefined ? undefined : model.ageNowMs - other.newestProofAtMs;
  const bad = !other.reachable || other.provedPaths === 0;
  const lastProof =
    proofAgeMs === undefined
      ? html`${texts.canaryNoProof}`
      : html`${texts.lastProof} ${ago(proofAgeMs, texts)} · ${texts.proofs(other.provedPaths, other.totalPaths)}`;
  const trouble = other.reachable ? undefined : html` · <b>${texts.canaryUnreachable}</b>`;
  return html`<div class="box ${bad ? 'bad' : ''}"><p>${bad ? SHAPES.unproved : undefined} <b>${other.name}</b>${trouble}</p>
<p class="soft">${lastProof}</p></div>`;
}

/** How the newest rounds ended. */
export function roundsTable({ rounds, language }: PageModel, texts: Texts): Html {
  if (rounds.length === 0)
    return html`<div class="box"><p class="soft">${texts.noRounds}</p></div>`;
  const rows = rounds.slice(0, ROUNDS_SHOWN).map(({ atMs, path, result }) => {
    const latency = result.kind === 'missed' ? '' : formatLatency(result.latencyMs, language);
    return html`<tr title="${pathName(path)}"><td class="number">${new Date(atMs).toISOString().slice(11, 19)}</td><td>${describePath(path, texts)}</td>
<td><span class="word ${result.kind}">${shapeOf(result)} ${wordOf(result, texts)}</span></td><td class="number">${latency}</td></tr>`;
  });
  return html`<div class="box"><table class="list rounds"><thead><tr><th>${texts.time} (${texts.utc})</th><th>${texts.path}</th><th>${texts.result}</th><th>${texts.latency}</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function shapeOf({ kind }: RoundResult): Html {
  return SHAPES[kind === 'missed' ? 'unproved' : kind];
}

function wordOf(result: RoundResult, texts: Texts): string {
  return result.kind === 'missed' ? texts.stages[result.stage] : texts[result.kind];
}
