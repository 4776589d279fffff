import { z } from 'zod';
import { formatCapDateTime } from '../../../shared/alert/placeholders.ts';
import { callIngest } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { alertStatus, type FollowDeps, followAlert } from '../follow.ts';
import { AcceptedAnswer, type AlertStatus } from '../ingest-answers.ts';
import {
  checkWhole,
  type Message,
  placeholderFacts,
  readChange,
  readMessage,
} from '../message-file.ts';
import { progressLines } from '../progress-view.ts';
import { summaryLines } from '../summary.ts';
import type { Texts } from '../texts-fr.ts';

export interface MessageDeps extends FollowDeps {
  /** A few characters that make an identifier unique within its second. */
  readonly random: () => string;
}

interface SendOptions {
  readonly follow?: boolean;
  readonly yes?: boolean;
}

/** `tocsin send FILE` */
export async function sendMessage(
  file: string,
  options: SendOptions,
  deps: MessageDeps,
): Promise<void> {
  const message = readMessage(file, placeholderFacts(deps.now(), deps.random()), deps.texts);
  const alert = checkWhole(message, deps.now(), deps.texts);
  showSummary(alert, alert.msgType, deps);
  await confirm(alert.status, options, deps);
  await post('/v1/alerts', alert, options, deps);
}

/**
 * `tocsin update ID FILE`. The alert is looked up first: an exercise's text must not become the update of a real alert.
 * When nobody can say, the update goes out all the same.
 */
export async function updateMessage(
  id: string,
  file: string,
  options: SendOptions,
  deps: MessageDeps,
): Promise<void> {
  const facts = placeholderFacts(deps.now(), deps.random());
  const { change, status } = readChange(file, 'Update', facts, deps.texts);
  const known = (await statusIfKnown(id, deps))?.alert?.status;
  if (status !== undefined && known !== undefined && status !== known)
    throw new CliError(EXIT.refused, [deps.texts.wrongStatus(status, known)]);
  const kind = known ?? status ?? 'Actual';
  showSummary({ ...change, status: kind }, 'Update', deps);
  await confirm(kind, options, deps);
  await post(changePath(id, 'update'), { sent: now(deps), ...change }, options, deps);
}

async function statusIfKnown(id: string, deps: MessageDeps): Promise<AlertStatus | undefined> {
  try {
    return await alertStatus(id, deps);
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.unreachable) return undefined;
    throw error;
  }
}

/**
 * `tocsin cancel ID [FILE]`: no confirmation, for who has to take back an alert has no time. `sent` is set here, so that
 * the same cancellation at the next ingest is the same message. FILE's texts, or `--reason`, are what people read.
 */
export async function cancelMessage(
  id: string,
  file: string | undefined,
  options: SendOptions & { readonly reason?: string },
  deps: MessageDeps,
): Promise<void> {
  const { texts } = deps;
  const facts = placeholderFacts(deps.now(), deps.random());
  const change = file === undefined ? {} : readChange(file, 'Cancel', facts, texts).change;
  const { info, ...rest } = change;
  const reason = {
    ...reasonsOf(info),
    ...(options.reason === undefined ? {} : { [texts.language]: { description: options.reason } }),
  };
  await post(changePath(id, 'cancel'), { sent: now(deps), ...rest, reason }, options, deps);
}

const ReasonTexts = z.array(
  z.object({
    language: z.string(),
    headline: z.string().optional(),
    description: z.string().optional(),
    instruction: z.string().optional(),
  }),
);

/** A Cancel's `info` as ingest wants it: language → the texts; the rest is that of the alert. */
function reasonsOf(info: unknown): Record<string, unknown> {
  const infos = ReasonTexts.safeParse(info ?? []);
  return infos.success
    ? Object.fromEntries(infos.data.map(({ language, ...words }) => [language, words]))
    : {};
}

function changePath(id: string, change: 'update' | 'cancel'): string {
  return `/v1/alerts/${encodeURIComponent(id)}/${change}`;
}

function now(deps: MessageDeps): string {
  const { nowMs, offsetMinutes } = placeholderFacts(deps.now(), '');
  return formatCapDateTime(nowMs, offsetMinutes);
}

/** `tocsin status ID` */
export async function showStatus(
  id: string,
  options: SendOptions,
  deps: MessageDeps,
): Promise<void> {
  if (options.follow) return followAlert(id, deps);
  for (const line of progressLines(await alertStatus(id, deps), deps.texts))
    deps.terminal.out(`${line}\n`);
}

function showSummary(
  message: Readonly<Record<string, unknown>>,
  msgType: string,
  { terminal, texts }: MessageDeps,
): void {
  for (const line of summaryLines(message, msgType, texts)) terminal.out(`${line}\n`);
}

/** A real alert is confirmed by a word, not by a key that a sleeve can press. Scripts are not asked. */
async function confirm(
  status: unknown,
  options: SendOptions,
  { terminal, texts }: MessageDeps,
): Promise<void> {
  if (status !== 'Actual' || options.yes || !terminal.isInteractive) return;
  const typed = await terminal.ask(texts.confirm(texts.confirmWord));
  if (typed.trim().toUpperCase() !== texts.confirmWord)
    throw new CliError(EXIT.refused, [texts.notConfirmed]);
}

async function post(
  path: string,
  body: Message,
  options: SendOptions,
  deps: MessageDeps,
): Promise<void> {
  const { answer, ingest } = await callIngest({ path, schema: AcceptedAnswer, body }, deps);
  for (const line of acceptedLines(answer, ingest.name, deps.texts)) deps.terminal.out(`${line}\n`);
  if (options.follow) await followAlert(answer.id, deps);
}

function acceptedLines(answer: AcceptedAnswer, ingest: string, texts: Texts): string[] {
  const storedBy = answer.storedBy.map(({ site, lane }) => `${site} ${lane}`).join(', ');
  const entries = Object.entries(answer.audience?.counts ?? {});
  const counts = entries.map(([kind, n]) => `${kind} ${texts.number(n)}`);
  const nobody = entries.length > 0 && entries.every(([, n]) => n === 0);
  return [
    texts.accepted(answer.id, ingest),
    texts.durability(answer.durability, storedBy === '' ? '' : ` (${storedBy})`),
    ...(counts.length === 0 ? [] : [texts.audience(counts.join(', '))]),
    ...(nobody ? [texts.nobody] : []),
    ...Object.entries(answer.links).map(([name, url]) => texts.link(name, url)),
  ];
}
