import type { Command } from 'commander';
import { z } from 'zod';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { problemLines } from '../call-ingest.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { loadConfig, type ServiceNode } from '../config.ts';
import type { CliDeps } from '../start-cli.ts';
import type { Texts } from '../texts-fr.ts';

const TIMEOUT_MS = 5_000;

const CodeAnswer = z.looseObject({ code: z.string(), expiresAt: z.string(), page: z.string() });
const ListAnswer = z.looseObject({
  limit: z.number(),
  devices: z.array(
    z.looseObject({
      name: z.string(),
      label: z.string(),
      enrolledAt: z.string(),
      state: z.string(),
      ageSeconds: z.number().nullable(),
    }),
  ),
});

interface Options {
  readonly canary?: string;
}

interface Asked {
  readonly canary: ServiceNode;
  readonly token: string;
}

/** `tocsin probes code|list|remove`: which phones and kiosks are receivers of a canary. */
export function addProbeCommands(program: Command, texts: Texts, deps: CliDeps): void {
  const { help } = texts.probePages;
  const { out } = deps.terminal;
  const probes = program.command('probes').description(help.probes);
  const asked = (command: Command): Asked => {
    const { config: file, canary: wanted } = command.optsWithGlobals<
      { config?: string } & Options
    >();
    const config = loadConfig(file, deps.env);
    const canary = config.canaries.find(({ name }) => wanted === undefined || name === wanted);
    if (!canary) throw new CliError(EXIT.usage, [texts.probePages.noCanary]);
    return { canary, token: config.internalToken() };
  };
  const add = (name: string, description: string) =>
    probes.command(name).description(description).option('--canary <name>', help.canary);
  add('code', help.code).action((_options, command: Command) =>
    answered(asked(command), texts, async ({ canary, token }) => {
      const { code, expiresAt, page } = await fetchJson(urlOf(canary, '/v1/probe-codes'), {
        method: 'POST',
        schema: CodeAnswer,
        timeoutMs: TIMEOUT_MS,
        token,
      });
      const until = expiresAt.slice(11, 16);
      out(
        `${texts.probePages.code(canary.name, code, page, until)}${new URL(page, canary.url).href}\n`,
      );
    }),
  );
  add('list', help.list).action((_options, command: Command) =>
    answered(asked(command), texts, async ({ canary, token }) => {
      const { limit, devices } = await fetchJson(urlOf(canary, '/v1/probe-devices'), {
        schema: ListAnswer,
        timeoutMs: TIMEOUT_MS,
        token,
      });
      out(`${texts.probePages.heading(canary.name, devices.length, limit)}\n`);
      for (const device of devices) out(`${texts.probePages.line(device)}\n`);
    }),
  );
  add('remove <NAME>', help.remove).action((name: string, _options, command: Command) =>
    answered(asked(command), texts, async ({ canary, token }) => {
      await fetchJson(urlOf(canary, `/v1/probe-devices/${encodeURIComponent(name)}`), {
        method: 'DELETE',
        schema: z.unknown(),
        timeoutMs: TIMEOUT_MS,
        token,
      });
      out(`${texts.probePages.removed(name)}\n`);
    }),
  );
}

const urlOf = ({ url }: ServiceNode, path: string) => new URL(path, url).href;

/** Rejects with CliError: refused, or the canary does not answer. */
async function answered(
  asked: Asked,
  texts: Texts,
  work: (asked: Asked) => Promise<void>,
): Promise<void> {
  try {
    await work(asked);
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    const { status } = error;
    if (status !== undefined && status >= 400 && status < 500)
      throw new CliError(EXIT.refused, problemLines(error.body, error.message, texts), error);
    const { name, url } = asked.canary;
    throw new CliError(EXIT.unreachable, [texts.ingestFailed(name, url, status)]);
  }
}
