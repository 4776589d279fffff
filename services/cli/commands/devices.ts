import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { Subscription } from '../../../shared/subscription/subscription.ts';
import { problemLines } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import type { Terminal } from '../terminal.ts';
import type { Texts } from '../texts-fr.ts';

/** What edge takes at once. */
const BATCH = 500;
const BATCH_TIMEOUT_MS = 30_000;
const ROUNDS = 3;
const PAUSE_MS = 1_000;

const ImportAnswer = z.looseObject({
  imported: z.number(),
  refused: z.array(z.looseObject({ deviceId: z.string(), message: z.string() })).default([]),
});

export interface ImportDeps {
  readonly edges: readonly ServiceNode[];
  readonly token: string;
  readonly terminal: Terminal;
  readonly texts: Texts;
  readonly sleep: (ms: number) => Promise<unknown>;
}

interface Line {
  readonly number: number;
  readonly subscription: Subscription;
}

/**
 * `tocsin devices import FILE`: registers one subscription a line. A line that is wrong is named and passed over; when
 * no edge answers, the line to go on from is said. Rejects with CliError: refused when a line was, or unreachable.
 */
export async function importDevices(
  file: string,
  fromLine: number,
  deps: ImportDeps,
): Promise<void> {
  const { terminal, texts } = deps;
  if (deps.edges.length === 0) throw new CliError(EXIT.usage, [texts.noEdges]);
  let [imported, refused, lineNumber] = [0, 0, 0];
  let batch: Line[] = [];
  const refuse = (number: number, device: string, why: string) => {
    refused++;
    terminal.err(`${texts.lineRefused(number, device, why)}\n`);
  };
  const flush = async () => {
    if (batch.length === 0) return;
    const answer = await sendBatch(batch, deps);
    imported += answer.imported;
    for (const { deviceId, message } of answer.refused)
      refuse(
        batch.find(({ subscription }) => subscription.deviceId === deviceId)?.number ?? 0,
        deviceId,
        message,
      );
    batch = [];
    terminal.out(terminal.isInteractive ? `\r\x1b[2K${texts.imported(imported, refused)}` : '');
  };
  for await (const text of linesOf(file, texts)) {
    lineNumber++;
    if (lineNumber < fromLine || text.trim() === '') continue;
    const read = readLine(text);
    if (typeof read === 'string') refuse(lineNumber, '', read);
    else if (batch.push({ number: lineNumber, subscription: read }) >= BATCH) await flush();
  }
  await flush();
  terminal.out(
    `${terminal.isInteractive ? '\r\x1b[2K' : ''}${texts.imported(imported, refused)}\n`,
  );
  if (refused > 0) throw new CliError(EXIT.refused, []);
}

async function* linesOf(file: string, texts: Texts): AsyncGenerator<string> {
  try {
    yield* createInterface({
      input: createReadStream(file, 'utf8'),
      crlfDelay: Number.POSITIVE_INFINITY,
    });
  } catch (error) {
    if (error instanceof CliError || (error as NodeJS.ErrnoException).code === undefined)
      throw error;
    throw new CliError(EXIT.usage, [texts.unreadable(file)], error);
  }
}

/** The subscription on a line, or what is wrong with it (never its token or keys). */
function readLine(text: string): Subscription | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'JSON?';
  }
  const parsed = Subscription.safeParse(json);
  if (parsed.success) return parsed.data;
  return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}

/** Any edge will do: what one takes, all learn. Each is tried three times. */
async function sendBatch(
  batch: readonly Line[],
  deps: ImportDeps,
): Promise<z.infer<typeof ImportAnswer>> {
  const json = batch.map(({ subscription }) => ({ subscription, probe: false }));
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0) await deps.sleep(PAUSE_MS * 2 ** round);
    for (const edge of deps.edges) {
      try {
        const url = new URL('/v1/subscriptions:import', edge.url).href;
        return await fetchJson(url, {
          schema: ImportAnswer,
          timeoutMs: BATCH_TIMEOUT_MS,
          token: deps.token,
          json,
        });
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        if (
          error.status !== undefined &&
          error.status >= 400 &&
          error.status < 500 &&
          error.status !== 429
        )
          throw new CliError(
            EXIT.refused,
            [...problemLines(error.body, error.message, deps.texts), resume(batch, deps)],
            error,
          );
      }
    }
  }
  throw new CliError(EXIT.unreachable, [deps.texts.noEdge, resume(batch, deps)]);
}

function resume(batch: readonly Line[], { texts }: ImportDeps): string {
  return texts.resume(batch[0]?.number ?? 1);
}
