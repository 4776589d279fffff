import { CANARY_AREA, CANARY_GEOCODE } from '../../../shared/alert/area.ts';
import { formatCapDateTime } from '../../../shared/alert/placeholders.ts';
import {
  type CanaryPath,
  LANES,
  TRANSPORTS,
  type TransportKind,
} from '../../../shared/envelope/envelope.ts';
import { FetchError, fetchJson } from '../../../shared/http/fetch-json.ts';
import { DRILL_NONCE_PREFIX } from '../../../shared/receipt/drill.ts';
import { CliError, EXIT } from '../cli-error.ts';
import type { ServiceNode } from '../config.ts';
import { AcceptedAnswer } from '../ingest-answers.ts';
import { allProbes, type KnownProbe, witnessesAt } from './canaries.ts';
import { createGuard, type Guard, lookUntil } from './checks.ts';
import {
  type Drill,
  type DrillDeps,
  DrillEndedError,
  type DrillResult,
  secondsSince,
} from './drill.ts';

/** Whoever was told something wrong hears so within half a minute. */
const CORRECTED_WITHIN_SECONDS = 30;
/** A Test lives two minutes at most (shared/alert/expiry.ts). */
const LIFE_MS = 110_000;
const HEARD_WITHIN_MS = 15_000;
const EVERY_MS = 150;
const REQUEST_MS = 2_500;
/** An ingest that is busy with canaries' rounds says 503. */
const TRIES = 3;

/** A Test to the probes and nobody else is raised, updated and cancelled, on every path of one ingest. */
export function correction(ingest: string | undefined, what: string): Drill {
  return { kind: 'correction', hurts: false, what, run: (deps) => run(ingest, deps) };
}

async function run(wanted: string | undefined, deps: DrillDeps): Promise<DrillResult> {
  const { system, texts, say } = deps;
  const ingest = system.ingests.find(({ name }) => wanted === undefined || name === wanted);
  if (ingest === undefined)
    throw new CliError(EXIT.usage, [
      texts.badOption('--ingest', system.ingests.map(({ name }) => name).join(', ')),
    ]);
  const key = system.drillKey();
  const probes = await allProbes(system.canaries, system.internalToken, texts);
  const guard = createGuard(deps);
  const paths = pathsFrom(ingest, probes, deps);
  say(texts.drill.raising(paths.length, probes.length, ingest.name));
  const taken = await Promise.all(
    paths.map((path) => {
      const to = probes.filter(({ transport }) => transport === path.transport);
      return correct({ path, ingest, to, key }, guard, deps);
    }),
  );
  return resultOf(ingest, probes, taken, deps);
}

/** Every lane, dispatcher and transport that has a probe, from one ingest. */
function pathsFrom(
  ingest: ServiceNode,
  probes: readonly KnownProbe[],
  { system }: DrillDeps,
): CanaryPath[] {
  const has = (transport: TransportKind) => probes.some((each) => each.transport === transport);
  return LANES.flatMap((lane) =>
    system.dispatchers.flatMap((dispatcher) =>
      TRANSPORTS.filter(has).map((transport) => ({
        ingest: ingest.name,
        lane,
        dispatcher: dispatcher.name,
        transport,
      })),
    ),
  );
}

interface Try {
  readonly path: CanaryPath;
  readonly ingest: ServiceNode;
  readonly to: readonly KnownProbe[];
  readonly key: string;
}

/** How one path went: seconds from the cancel's acceptance to the last probe that heard it, or what went wrong. */
type Taken =
  | { readonly seconds: number }
  | { readonly path: string; readonly failure: StepError | DrillEndedError };

async function correct(tried: Try, guard: Guard, deps: DrillDeps): Promise<Taken> {
  const { path, ingest, key } = tried;
  const post = (to: string, body: object) => postAt(ingest, to, body, key, deps);
  try {
    const message = testAlert(tried, deps);
    const id = await post('/v1/alerts', message);
    const spread = async () => {
      await untilHeard(id, 'the alert', HEARD_WITHIN_MS, tried, guard, deps);
      const update = await post(`/v1/alerts/${id}/update`, { info: message.info });
      await untilHeard(update, 'the update', HEARD_WITHIN_MS, tried, guard, deps);
    };
    const failure = await spread().then(() => undefined, orBug);
    // Whatever went wrong before: what was raised is taken back.
    const cancel = await post(`/v1/alerts/${id}/cancel`, {});
    const acceptedMs = deps.now();
    if (failure !== undefined) throw failure;
    await untilHeard(cancel, 'the cancel', CORRECTED_WITHIN_SECONDS * 1000, tried, guard, deps);
    return { seconds: secondsSince(acceptedMs, deps.now()) };
  } catch (error) {
    return { path: nameOf(path), failure: orBug(error) };
  }
}

/** A step of the drill did not go as it should. */
class StepError extends Error {
  override readonly name = 'StepError';
}

function orBug(error: unknown): StepError | DrillEndedError {
  if (error instanceof StepError || error instanceof DrillEndedError) return error;
  throw error;
}

function nameOf({ ingest, lane, dispatcher, transport }: CanaryPath): string {
  return [ingest, lane, dispatcher, transport].join(':');
}

async function postAt(
  ingest: ServiceNode,
  path: string,
  json: object,
  token: string,
  { sleep }: DrillDeps,
): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      const options = { schema: AcceptedAnswer, timeoutMs: REQUEST_MS, token, json };
      return (await fetchJson(new URL(path, ingest.url).href, options)).id;
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      const again = error.status === undefined || error.status === 503;
      if (!again || tries === TRIES)
        throw new StepError(`${path.split('/').at(-1)}: ${error.message}`);
      await sleep(300 * tries);
    }
  }
}

/** Rejects with StepError when not every probe has heard it in time. */
async function untilHeard(
  id: string,
  what: string,
  limitMs: number,
  { to }: Try,
  guard: Guard,
  deps: DrillDeps,
): Promise<void> {
  const { internalToken } = deps.system;
  const canaries = [...new Set(to.map(({ canary }) => canary))];
  let missing = to.map(({ name }) => name);
  const look = async () => {
    const heard = await Promise.all(
      canaries.map((canary) => witnessesAt(canary, id, internalToken)),
    );
    missing = to.map(({ name }) => name).filter((name) => !heard.flat().includes(name));
    return missing.length === 0 ? true : undefined;
  };
  const found = await lookUntil(look, { limitMs, everyMs: EVERY_MS }, { ...deps, guard });
  if (found === undefined) throw new StepError(`${missing.join(', ')} did not hear ${what}`);
}

/**
 * The drill's message. It can't reach the public: its status, scope and area are those of canaries, which ingest,
 * dispatcher and device hold together (shared/alert/audience.ts), its key may send nothing else, and it names its probes.
 */
function testAlert({ path, to }: Try, { system, now, random }: DrillDeps) {
  const nowMs = now();
  const at = (ms: number) => formatCapDateTime(ms, 0);
  const name = nameOf(path);
  return {
    identifier: `drill-${nowMs}-${random()}-${name.replaceAll(':', '-')}`.slice(0, 100),
    sender: system.drillSender,
    sent: at(nowMs),
    status: 'Test',
    msgType: 'Alert',
    scope: 'Private',
    addresses: to.map(({ deviceId }) => deviceId).join(' '),
    code: [`tocsin-path:${name}`, `tocsin-nonce:${DRILL_NONCE_PREFIX}${random()}${random()}`],
    note: 'Drill of a correction: to the probes of the canaries alone',
    info: [
      {
        language: 'fr-FR',
        category: ['Other'],
        event: 'Essai technique',
        responseType: ['None'],
        urgency: 'Unknown',
        severity: 'Unknown',
        certainty: 'Unknown',
        expires: at(nowMs + LIFE_MS),
        senderName: 'Tocsin',
        headline: 'ESSAI technique, aucun danger',
        description: 'Exercice de correction : ce message est annulé dans un instant.',
        instruction: 'Ne rien faire.',
        area: [
          {
            areaDesc: 'Zone réservée aux essais',
            geocode: [{ valueName: CANARY_GEOCODE, value: CANARY_AREA }],
          },
        ],
      },
    ],
  };
}

function resultOf(
  ingest: ServiceNode,
  probes: readonly KnownProbe[],
  taken: readonly Taken[],
  { say, texts }: DrillDeps,
): DrillResult {
  const failed = taken.flatMap((each) => ('failure' in each ? [each] : []));
  for (const { failure } of failed) if (failure instanceof DrillEndedError) throw failure;
  const problems = failed.map(({ path, failure }) => `${path}: ${failure.message}`);
  const seconds = taken.flatMap((each) => ('seconds' in each ? [each.seconds] : []));
  const isWhole = problems.length === 0 && seconds.length > 0;
  const toCorrectionSeconds = isWhole ? Math.max(...seconds) : undefined;
  if (toCorrectionSeconds !== undefined) say(texts.drill.corrected(toCorrectionSeconds));
  const isOk = toCorrectionSeconds !== undefined && toCorrectionSeconds <= CORRECTED_WITHIN_SECONDS;
  return {
    ok: isOk,
    measures: toCorrectionSeconds === undefined ? {} : { toCorrectionSeconds },
    note: [
      `cancelled on ${seconds.length} of ${taken.length} paths of ingest ${ingest.name}, ${probes.length} probes`,
      ...problems,
    ]
      .join('; ')
      .slice(0, 500),
  };
}
