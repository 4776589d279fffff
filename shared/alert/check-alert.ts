import type { z } from 'zod';
import { Alert } from './alert.ts';
import { areaCodesOf } from './area.ts';
import { audienceProblems } from './audience.ts';
import { CANARY_MAX_LIFE_SECONDS, CLOCK_TOLERANCE_SECONDS, MAX_LIFE_SECONDS } from './expiry.ts';
import { parseReferences } from './references.ts';

/** One thing wrong with an alert. `field` is a path such as `info[0].headline`; '' is the whole. */
export interface AlertProblem {
  readonly field: string;
  readonly message: string;
}

type Loose<T> = T extends (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { [Key in keyof T]?: Loose<T[Key]> | undefined }
    : T;
type LooseAlert = Loose<Alert>;
type LooseInfo = NonNullable<LooseAlert['info']>[number];

/**
 * Checks a CAP message as received: its shape, then the rules that no schema holds (research on CAP shows that the
 * XSD accepts a Cancel without references, an `expires` before `sent`, an area that is only words). Everything that is
 * wrong is reported at once: the parts that have the right shape still go through the rules.
 */
export function checkAlert(
  input: unknown,
  nowMs: number,
): { ok: true; alert: Alert } | { ok: false; problems: AlertProblem[] } {
  const parsed = Alert.safeParse(input);
  const shape = parsed.success ? [] : parsed.error.issues.flatMap(problemsOfIssue);
  const loose = parsed.success ? parsed.data : withoutInvalidParts(input, parsed.error.issues);
  const problems = [...shape, ...ruleProblems(loose, nowMs)];
  const seen = new Set(shape.map((problem) => problem.field));
  const listed = problems.filter((problem, i) => i < shape.length || !seen.has(problem.field));
  return parsed.success && listed.length === 0
    ? { ok: true, alert: parsed.data }
    : { ok: false, problems: listed };
}

/** The rules about time, references, areas, audience and language, for the parts of an alert that are there. */
function ruleProblems(alert: LooseAlert, nowMs: number): AlertProblem[] {
  return [
    ...sentProblems(alert, nowMs),
    ...referenceProblems(alert),
    ...expiryProblems(alert, nowMs),
    ...areaProblems(alert),
    ...languageProblems(alert),
    ...exerciseProblems(alert),
  ];
}

function sentProblems(alert: LooseAlert, nowMs: number): AlertProblem[] {
  if (alert.sent === undefined) return [];
  const ageSeconds = (nowMs - Date.parse(alert.sent)) / 1000;
  if (ageSeconds < -CLOCK_TOLERANCE_SECONDS)
    return [
      {
        field: 'sent',
        message: 'lies more than 5 minutes in the future: check the clock and the offset',
      },
    ];
  const limit = alert.status === 'Test' ? CANARY_MAX_LIFE_SECONDS : MAX_LIFE_SECONDS;
  if (ageSeconds > limit)
    return [
      { field: 'sent', message: `lies more than ${limit} seconds in the past: send a new message` },
    ];
  return [];
}

function referenceProblems(alert: LooseAlert): AlertProblem[] {
  const problems: AlertProblem[] = [];
  if (alert.msgType === 'Ack' || alert.msgType === 'Error')
    problems.push({
      field: 'msgType',
      message: `${alert.msgType} is an answer: send Alert, Update or Cancel`,
    });
  if (alert.msgType === 'Alert' && alert.references !== undefined)
    problems.push({
      field: 'references',
      message: 'a first Alert refers to nothing: use Update or Cancel',
    });
  if (alert.msgType === 'Update' || alert.msgType === 'Cancel') {
    const { references, malformed } = parseReferences(alert.references ?? '');
    for (const entry of malformed)
      problems.push({
        field: 'references',
        message: `"${entry.slice(0, 80)}" is not sender,identifier,sent`,
      });
    if (references.length === 0 && malformed.length === 0)
      problems.push({
        field: 'references',
        message: `${alert.msgType} needs the sender,identifier,sent it is about`,
      });
    if (references.length > 20)
      problems.push({ field: 'references', message: 'holds more than 20 messages' });
    for (const reference of references) {
      if (reference.sender === alert.sender && reference.identifier === alert.identifier)
        problems.push({ field: 'references', message: 'a message may not refer to itself' });
      if (alert.sent !== undefined && Date.parse(reference.sent) > Date.parse(alert.sent))
        problems.push({
          field: 'references',
          message: `${reference.identifier} was sent later than this message`,
        });
    }
  }
  return problems;
}

function expiryProblems(alert: LooseAlert, nowMs: number): AlertProblem[] {
  const sentMs = alert.sent === undefined ? undefined : Date.parse(alert.sent);
  const limit = alert.status === 'Test' ? CANARY_MAX_LIFE_SECONDS : MAX_LIFE_SECONDS;
  return eachInfo(alert, (info, at) => {
    const problems: AlertProblem[] = [];
    const field = `${at}.expires`;
    if (info.expires !== undefined) {
      const expiresMs = Date.parse(info.expires);
      if (expiresMs <= nowMs)
        problems.push({ field, message: 'has passed: a late alert never rings' });
      else if (sentMs !== undefined && expiresMs < sentMs + 60_000)
        problems.push({ field, message: 'must lie at least a minute after sent' });
      else if (sentMs !== undefined && expiresMs > sentMs + limit * 1000)
        problems.push({
          field,
          message: `may lie at most ${limit} seconds after sent: send an Update later`,
        });
    }
    const effectiveMs = info.effective === undefined ? nowMs : Date.parse(info.effective);
    if (effectiveMs > nowMs + CLOCK_TOLERANCE_SECONDS * 1000)
      problems.push({
        field: `${at}.effective`,
        message: 'scheduled sending is not offered: leave it out',
      });
    return problems;
  });
}

function areaProblems(alert: LooseAlert): AlertProblem[] {
  const perInfo: { at: string; codes: string[] }[] = [];
  const problems = eachInfo(alert, (info, at) => {
    const found = areaCodesOf(info.area ?? [], at);
    perInfo.push({ at, codes: found.codes });
    return found.problems;
  });
  const [first, ...others] = perInfo;
  for (const { at, codes } of others) {
    if (codes.join() !== first?.codes.join())
      problems.push({
        field: `${at}.area`,
        message: 'names other areas than the first info: every language has the same',
      });
  }
  const allCodes = [...new Set(perInfo.flatMap(({ codes }) => codes))];
  return [
    ...problems,
    ...audienceProblems(alert as Parameters<typeof audienceProblems>[0], allCodes),
  ];
}

function languageProblems(alert: LooseAlert): AlertProblem[] {
  const seen = new Set<string>();
  return eachInfo(alert, (info, at) => {
    const problems: AlertProblem[] = [];
    const language = info.language;
    if (language !== undefined && seen.has(language))
      problems.push({
        field: `${at}.language`,
        message: `${language} appears twice: one info for each language`,
      });
    if (language !== undefined) seen.add(language);
    if (alert.status === 'Actual' && alert.msgType !== 'Cancel' && info.instruction === undefined)
      problems.push({ field: `${at}.instruction`, message: 'tell people what to do' });
    return problems;
  });
}

/** An exercise says so in the words people see, whatever a client does with `status`. */
function exerciseProblems(alert: LooseAlert): AlertProblem[] {
  if (alert.status !== 'Exercise') return [];
  return eachInfo(alert, (info, at) => {
    const word = info.language?.startsWith('fr') ? 'EXERCICE' : 'EXERCISE';
    return info.headline === undefined || info.headline.includes(word)
      ? []
      : [{ field: `${at}.headline`, message: `an exercise says ${word} in its headline` }];
  });
}

function eachInfo(
  alert: LooseAlert,
  check: (info: LooseInfo, at: string) => AlertProblem[],
): AlertProblem[] {
  if (!Array.isArray(alert.info)) return [];
  return alert.info.flatMap((info, i) =>
    info && typeof info === 'object' ? check(info, `info[${i}]`) : [],
  );
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (at, key) =>
      typeof key === 'number' ? `${at}[${key}]` : at === '' ? String(key) : `${at}.${String(key)}`,
    '',
  );
}

function problemsOfIssue(issue: z.core.$ZodIssue): AlertProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldPath([...issue.path, key]),
      message: 'is not a field of CAP 1.2 (or not one that Tocsin carries)',
    }));
  }
  return [{ field: fieldPath(issue.path), message: issue.message }];
}

/** A copy of the input in which whatever an issue points at is absent, so that a rule sees nothing of a wrong type. */
function withoutInvalidParts(input: unknown, issues: readonly z.core.$ZodIssue[]): LooseAlert {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return {};
  const copy = structuredClone(input) as Record<string, unknown>;
  for (const issue of issues) {
    // The path of an unknown field is that of the object that holds it, whose known fields are still to be checked.
    if (issue.code === 'unrecognized_keys') continue;
    const parent = issue.path.slice(0, -1).reduce<unknown>((at, key) => childOf(at, key), copy);
    const last = issue.path.at(-1);
    if (parent && typeof parent === 'object' && last !== undefined)
      Reflect.set(parent, last, undefined);
  }
  return copy as LooseAlert;
}

function childOf(at: unknown, key: PropertyKey): unknown {
  return at && typeof at === 'object' ? Reflect.get(at, key) : undefined;
}
