import { z } from 'zod';
import { TRANSPORTS } from '../../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { problemLines } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';

const PATH = '/v1/quarantine';
/** A request judges some thousand devices and waits until every site knows. */
const TIMEOUT_MS = 60_000;
/** Requests to one dispatcher: it holds two million devices at most and judges 5,000 at a time. */
const MAX_REQUESTS = 400;

const ListAnswer = z.looseObject({
  transports: z.array(
    z.looseObject({
      transport: z.string(),
      count: z.number(),
      oldest: z.string(),
      newest: z.string(),
    }),
  ),
  devices: z.array(z.looseObject({ deviceId: z.string(), transport: z.string(), at: z.string() })),
});

const JudgedAnswer = z.looseObject({
  judged: z.number(),
  removed: z.number(),
  remaining: z.boolean(),
});

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export interface QuarantineDeps {
  readonly dispatchers: readonly ServiceNode[];
  readonly token: string;
  readonly terminal: Terminal;
  readonly texts: Texts;
  readonly now: Clock;
}

/** `tocsin quarantine list`: what each dispatcher holds back. Rejects with CliError when one does not answer. */
export async function listQuarantine(
  options: { readonly devices?: boolean },
  deps: QuarantineDeps,
): Promise<void> {
  const { terminal, texts } = deps;
  await onEach(deps, async (node) => {
    const url = new URL(PATH, node.url).href;
    const answer = await fetchJson(url, {
      schema: ListAnswer,
      timeoutMs: TIMEOUT_MS,
      token: deps.token,
    });
    terminal.out(`${texts.quarantineOf(node.name, answer.transports)}\n`);
    if (options.devices)
      for (const { deviceId, transport, at } of answer.devices)
        terminal.out(`  ${at}  ${transport.padEnd(8)}  ${deviceId}\n`);
  });
}

/**
 * `tocsin quarantine release|drop`: the word of a human, said to every dispatcher. To drop wants a typed word. Rejects
 * with CliError: not confirmed, refused, or a dispatcher that did not answer (the others have done it).
 */
export async function judgeQuarantine(
  action: 'release' | 'drop',
  options: { readonly transport?: string; readonly olderThan?: string; readonly yes?: boolean },
  deps: QuarantineDeps,
): Promise<void> {
  const { terminal, texts } = deps;
  const json = requestOf(action, options, deps);
  if (action === 'drop' && !options.yes) {
    const typed = terminal.isInteractive
      ? await terminal.ask(texts.confirmDrop(texts.dropWord))
      : '';
    if (typed.trim().toUpperCase() !== texts.dropWord)
      throw new CliError(EXIT.usage, [texts.notDropped]);
  }
  await onEach(deps, async (node) => {
    const url = new URL(PATH, node.url).href;
    let [judged, removed] = [0, 0];
    for (let i = 0; i < MAX_REQUESTS; i++) {
      const answer = await fetchJson(url, {
        schema: JudgedAnswer,
        timeoutMs: TIMEOUT_MS,
        token: deps.token,
        json,
      });
      judged += answer.judged;
      removed += answer.removed;
      if (!answer.remaining) break;
    }
    terminal.out(`${texts.quarantineJudged(node.name, action, judged, removed)}\n`);
  });
}

function requestOf(
  action: 'release' | 'drop',
  { transport, olderThan }: { readonly transport?: string; readonly olderThan?: string },
  { texts, now }: QuarantineDeps,
): Record<string, string> {
  if (transport !== undefined && !TRANSPORTS.some((each) => each === transport))
    throw new CliError(EXIT.usage, [texts.badOption('--transport', TRANSPORTS.join(', '))]);
  const age = /^(\d{1,5})([mhd])$/.exec(olderThan ?? '');
  if (olderThan !== undefined && !age)
    throw new CliError(EXIT.usage, [texts.badOption('--older-than', '30m, 2h, 7d')]);
  const ageMs = age ? Number(age[1]) * (UNITS_MS[age[2] ?? ''] ?? 0) : 0;
  return {
    action,
    ...(transport === undefined ? {} : { transport }),
    ...(age ? { olderThan: new Date(now() - ageMs).toISOString() } : {}),
  };
}

/** Each dispatcher has a quarantine of its own: all are asked, and what one does not do is said at the end. */
async function onEach(
  { dispatchers, texts }: QuarantineDeps,
  work: (node: ServiceNode) => Promise<void>,
): Promise<void> {
  if (dispatchers.length === 0) throw new CliError(EXIT.usage, [texts.noDispatchers]);
  const failures: string[] = [];
  for (const node of dispatchers) {
    try {
      await work(node);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      if (error.status !== undefined && error.status >= 400 && error.status < 500)
        throw new CliError(EXIT.refused, problemLines(error.body, error.message, texts), error);
      failures.push(texts.ingestFailed(node.name, node.url, error.status));
    }
  }
  if (failures.length > 0)
    throw new CliError(EXIT.unreachable, [texts.dispatchersSilent, ...failures]);
}
