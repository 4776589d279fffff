import { readFileSync } from 'node:fs';
import type { Alert } from '../../shared/alert/alert.ts';
import { type AlertProblem, checkAlert } from '../../shared/alert/check-alert.ts';
import { fillPlaceholders, type PlaceholderFacts } from '../../shared/alert/placeholders.ts';
import { problemLine } from './call-ingest.ts';
import { CliError, EXIT } from './cli-error.ts';
import type { Texts } from './texts-fr.ts';

export type Message = Record<string, unknown>;

/** A message file with its placeholders filled in. Throws CliError when it cannot be read or is no JSON object. */
export function readMessage(path: string, facts: PlaceholderFacts, texts: Texts): Message {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(EXIT.usage, [texts.unreadable(path)], error);
  }
  const message = fillPlaceholders(parseJson(text), facts);
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    throw new CliError(EXIT.usage, [texts.notJson(path)]);
  return { ...message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The facts that placeholders need, from this machine's clock. */
export function placeholderFacts(nowMs: number, random: string): PlaceholderFacts {
  return { nowMs, offsetMinutes: -new Date(nowMs).getTimezoneOffset(), random };
}

/** A whole message, checked here by ingest's own rules before anybody is bothered. Throws CliError with all problems. */
export function checkWhole(message: Message, nowMs: number, texts: Texts): Alert {
  if (message['references'] === 'auto') throw new CliError(EXIT.usage, [texts.needsId]);
  const checked = checkAlert(message, nowMs);
  if (checked.ok) return checked.alert;
  throw notReady(checked.problems, texts);
}

/** What ingest takes from the alert that a change is about: a file may say it, a request may not. */
const FROM_THE_ALERT = ['sender', 'status', 'scope', 'msgType', 'references'];

/**
 * An update or a cancellation as a file says it, without what ingest takes from the alert it is about. Only what the
 * file holds is checked here; what it leaves out is not missing.
 */
export function readChange(
  path: string,
  msgType: 'Update' | 'Cancel',
  facts: PlaceholderFacts,
  texts: Texts,
): { change: Message; status: string | undefined } {
  const message = readMessage(path, facts, texts);
  if (message['msgType'] !== undefined && message['msgType'] !== msgType)
    throw new CliError(EXIT.usage, [texts.wrongType(msgType)]);
  const { references: _about, ...checkable } = message;
  const checked = checkAlert(checkable, facts.nowMs);
  const problems = checked.ok
    ? []
    : checked.problems.filter(({ field }) => isWithin(field, checkable));
  if (problems.length > 0) throw notReady(problems, texts);
  const kept = Object.entries(message).filter(([field]) => !FROM_THE_ALERT.includes(field));
  const { status } = message;
  return {
    change: Object.fromEntries(kept),
    status: typeof status === 'string' ? status : undefined,
  };
}

function isWithin(field: string, message: Message): boolean {
  const top = /^[^.[]*/.exec(field)?.[0] ?? '';
  return top in message;
}

function notReady(problems: readonly AlertProblem[], texts: Texts): CliError {
  return new CliError(EXIT.refused, [
    texts.problems(problems.length),
    ...problems.map(problemLine),
  ]);
}
