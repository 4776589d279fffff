import { z } from 'zod';
import { CanaryPath } from '../../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { ProbesAnswer, type ProbeView } from '../../../shared/receipt/drill.ts';
import { WitnessAnswer } from '../../../shared/receipt/proof.ts';
import type { Clock } from '../../../shared/time/clock.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import type { Texts } from '../texts-fr.ts';

const TIMEOUT_MS = 5_000;

const PathsAnswer = z.looseObject({
  paths: z.array(
    z.looseObject({
      name: z.string(),
      path: CanaryPath,
      state: z.string(),
      ageSeconds: z.number().nullable(),
    }),
  ),
});

/** One path as one canary sees it. */
export interface SeenPath {
  readonly canary: string;
  readonly name: string;
  readonly path: CanaryPath;
  readonly isProved: boolean;
  /** When it was proved last, by our clock; undefined: never. */
  readonly provedAtMs: number | undefined;
}

/** A probe with the canary that has it. */
export interface KnownProbe extends ProbeView {
  readonly canary: ServiceNode;
}

/** All paths of one canary. Rejects with FetchError. */
async function pathsOf(canary: ServiceNode, now: Clock): Promise<SeenPath[]> {
  const answer = await fetchJson(new URL('/v1/paths', canary.url).href, {
    schema: PathsAnswer,
    timeoutMs: TIMEOUT_MS,
  });
  const nowMs = now();
  return answer.paths.map(({ name, path, state, ageSeconds }) => ({
    canary: canary.name,
    name,
    path,
    isProved: state === 'proved',
    provedAtMs: ageSeconds === null ? undefined : nowMs - ageSeconds * 1000,
  }));
}

/** All paths of all canaries that answer: a canary that does not proves nothing. */
export async function allPathsSeen(
  canaries: readonly ServiceNode[],
  now: Clock,
): Promise<{ paths: SeenPath[]; silent: string[] }> {
  const silent: string[] = [];
  const paths = await Promise.all(
    canaries.map(async (canary) => {
      try {
        return await pathsOf(canary, now);
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        silent.push(canary.name);
        return [];
      }
    }),
  );
  return { paths: paths.flat(), silent };
}

/** The probes of all canaries. Rejects with CliError when one does not answer. */
export async function allProbes(
  canaries: readonly ServiceNode[],
  token: string,
  texts: Texts,
): Promise<KnownProbe[]> {
  const found = await Promise.all(
    canaries.map(async (canary) => {
      const url = new URL('/v1/probes', canary.url).href;
      const answer = await orUnreachable(canary, texts, () =>
        fetchJson(url, { schema: ProbesAnswer, timeoutMs: TIMEOUT_MS, token }),
      );
      return answer.probes.map((probe) => ({ ...probe, canary }));
    }),
  );
  return found.flat();
}

/** Makes a probe deaf for so long, or (0) hear again. Rejects with FetchError. */
export async function setDeaf(
  { canary, name }: KnownProbe,
  deafForSeconds: number,
  token: string,
): Promise<void> {
  await fetchJson(new URL(`/v1/probes/${encodeURIComponent(name)}`, canary.url).href, {
    schema: z.unknown(),
    timeoutMs: TIMEOUT_MS,
    token,
    json: { deafForSeconds },
  });
}

/** Which probes of a canary have heard a message. A canary that does not answer has seen none. */
export async function witnessesAt(
  canary: ServiceNode,
  alertId: string,
  token: string,
): Promise<string[]> {
  try {
    const answer = await fetchJson(new URL(`/v1/alerts/${alertId}/witnesses`, canary.url).href, {
      schema: WitnessAnswer,
      timeoutMs: TIMEOUT_MS,
      token,
    });
    return answer.witnesses.map(({ probe }) => probe);
  } catch (error) {
    if (error instanceof FetchError) return [];
    throw error;
  }
}

async function orUnreachable<Answer>(
  node: ServiceNode,
  texts: Texts,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    throw new CliError(
      EXIT.unreachable,
      [texts.ingestFailed(node.name, node.url, error.status)],
      error,
    );
  }
}
