import type { CanaryPath } from '../../../shared/envelope/envelope.ts';
import type { Finding } from '../diagnosis.ts';
import type { PartKind } from '../known-dead/watch-parts.ts';
import { lacksWitnesses } from '../real-alert/alert-timeline.ts';
import { age } from './age-markup.ts';
import { credentialFaults } from './credential-section.ts';
import { type Html, html } from './html.ts';
import type { PageModel } from './page-model.ts';
import { receiverFaults } from './receivers.ts';
import { SHAPES } from './shapes.ts';
import { slowFaults } from './slow-proofs.ts';
import type { PathPart, Texts } from './texts.ts';

const FINDINGS_SHOWN = 8;

/** One thing that is dead or fails, its age at the end of the words, and the runbook for it. */
export interface Trouble {
  readonly says: Html;
  readonly more?: string;
  readonly runbook: string;
}

/** The runbook for each kind of part that does not say that it is well. */
const RUNBOOK_OF_PART: Readonly<Record<PartKind, string>> = {
  ingest: 'process-at-fault',
  dispatcher: 'process-at-fault',
  edge: 'process-at-fault',
  bus: 'bus-unhealthy',
  probe: 'transport-unproved',
  canary: 'canary-silent',
};

/** Everything that is known to be dead or to fail, what concerns people's alerts first. Only ever bad news. */
export function troubles(model: PageModel, texts: Texts): Trouble[] {
  return [
    ...model.findings.slice(0, FINDINGS_SHOWN).map((finding) => pathTrouble(finding, texts)),
    ...witnessTrouble(model, texts),
    ...slowFaults(model, texts),
    ...receiverFaults(model),
    ...credentialFaults(model, texts),
    ...model.dead.map(({ kind, name, answered, sinceMs }) => ({
      says: html`${texts.deadPart(kind, name, answered)} ${age(model.ageNowMs - sinceMs)}`,
      runbook: RUNBOOK_OF_PART[kind],
    })),
  ];
}

/** The list, or one line that claims nothing when it is empty. */
export function deadSection(
  found: readonly Trouble[],
  { runbooksUrl, language }: PageModel,
  texts: Texts,
): Html {
  const heading = html`<h2 id="dead-title">${texts.dead}</h2>`;
  if (found.length === 0)
    return html`<section aria-labelledby="dead-title">${heading}<p class="soft claim">${texts.nothingDead}</p></section>`;
  const items = found.map(({ says, more, runbook }) => {
    const link = html`<a href="${runbooksUrl}/${runbook}?lang=${language}">${texts.whatToDo}<span class="unseen">${texts.colon} ${runbook}</span></a>`;
    const small = more === undefined ? undefined : html`<small>${more}</small>`;
    return html`<li>${SHAPES.unproved}<span><b>${says}</b>${small}${link}</span></li>`;
  });
  return html`<section aria-labelledby="dead-title">${heading}<ul class="findings">${items}</ul></section>`;
}

function pathTrouble(finding: Finding, texts: Texts): Trouble {
  const stage = finding.stage === undefined ? '' : ` · ${texts.stages[finding.stage]}`;
  return {
    says: html`${sentence(finding, texts)} ${age(finding.forMs)}`,
    more: `${texts.pathCount(finding.paths)}${stage}`,
    runbook: runbookOf(finding),
  };
}

function witnessTrouble({ realAlert, wallNowMs }: PageModel, texts: Texts): Trouble[] {
  if (!realAlert || !lacksWitnesses(realAlert, wallNowMs)) return [];
  const ageMs = wallNowMs - (realAlert.acceptedAtMs ?? Date.parse(realAlert.sent));
  const { witnesses, probes } = realAlert;
  return [
    {
      says: html`${texts.notWitnessed(witnesses.length, probes)} ${age(ageMs)}`,
      runbook: 'alert-not-witnessed',
    },
  ];
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
export function runbookOf({ common }: Pick<Finding, 'common'>): string {
  const parts = Object.keys(common) as PathPart[];
  const [part] = parts;
  if (part === undefined) return 'no-proof';
  return parts.length === 1 ? `${part}-unproved` : 'route-unproved';
}

/** `a → bus → b → FCM` */
export function describePath(path: CanaryPath, texts: Texts): string {
  const word = (value: string) => texts.values[value] ?? value;
  return [path.ingest, word(path.lane), path.dispatcher, word(path.transport)].join(' → ');
}
