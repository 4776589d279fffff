import type { TransportKind } from '../../../shared/envelope/envelope.ts';
import { FetchError } from '../../../shared/http/fetch-json.ts';
import { CliError, EXIT } from '../cli-error.ts';
import { isAboutTransport, pagedAlerts } from './alertmanager.ts';
import { allPathsSeen, allProbes, type KnownProbe, setDeaf } from './canaries.ts';
import { createGuard, type Guard, lookUntil } from './checks.ts';
import { type Drill, type DrillDeps, type DrillResult, secondsSince } from './drill.ts';

/** P5: a path that delivers nothing is seen within 130 s and paged within 180 s. */
const SEEN_WITHIN_SECONDS = 130;
const PAGED_WITHIN_SECONDS = 180;
/** Looked for a little longer than allowed, so that the record says how late it was. */
const LOOK_FOR_MS = 210_000;
/** Longer than all that is looked for; it ends by itself should this process die. */
const DEAF_SECONDS = 240;
/** Two rounds of every path. */
const RECOVERY_MS = 150_000;
const EVERY_MS = 500;

/** Every probe of one transport, on every canary, hears nothing for a while: one alone would be covered by the others. */
export function deadReceiver(transport: TransportKind, what: string): Drill {
  return {
    kind: 'dead-receiver',
    hurts: true,
    what,
    run: (deps) => run(transport, deps),
  };
}

async function run(transport: TransportKind, deps: DrillDeps): Promise<DrillResult> {
  const { system, texts, say, now } = deps;
  const probes = (await allProbes(system.canaries, system.internalToken, texts)).filter(
    (probe) => probe.transport === transport,
  );
  const without = system.canaries.filter(
    (canary) => !probes.some((probe) => probe.canary === canary),
  );
  if (without.length > 0)
    throw new CliError(EXIT.refused, [
      texts.drill.noProbe(
        transport,
        without.map(({ name }) => name),
      ),
    ]);
  await refuseOpenPages(transport, deps);
  if (system.alertmanager === undefined) say(texts.drill.withoutAlertmanager);
  const guard = createGuard(deps);
  let seen: Seen;
  try {
    const startMs = now();
    await Promise.all(probes.map((probe) => setDeaf(probe, DEAF_SECONDS, system.internalToken)));
    say(texts.drill.deaf(probes.map(({ name }) => name)));
    seen = await watch(transport, startMs, guard, deps);
  } finally {
    await hearAgain(probes, deps);
  }
  const heardMs = now();
  say(texts.drill.hearing);
  const toRecoverySeconds = await untilProved(transport, heardMs, guard, deps);
  return resultOf(transport, seen, toRecoverySeconds, deps);
}

interface Seen {
  /** Until no canary calls any path of the transport proved. */
  readonly unprovedSeconds: number | undefined;
  /** Until Alertmanager gave a page to a pager; undefined: it did not, or was not asked. */
  readonly pagedSeconds: number | undefined;
  readonly page: string | undefined;
}

async function refuseOpenPages(
  transport: TransportKind,
  { system, texts }: DrillDeps,
): Promise<void> {
  if (system.alertmanager === undefined) return;
  const open = await pagedAlerts(system.alertmanager, (each) => isAboutTransport(each, transport));
  if (open === undefined)
    throw new CliError(EXIT.unreachable, [texts.drill.noAlertmanager(system.alertmanager)]);
  if (open.length > 0) throw new CliError(EXIT.refused, [texts.drill.openPage(open)]);
}

async function watch(
  transport: TransportKind,
  startMs: number,
  guard: Guard,
  deps: DrillDeps,
): Promise<Seen> {
  const { system, texts, say, now } = deps;
  let unprovedSeconds: number | undefined;
  let pagedSeconds: number | undefined;
  let page: string | undefined;
  const look = async () => {
    if (unprovedSeconds === undefined && (await isDead(transport, deps))) {
      unprovedSeconds = secondsSince(startMs, now());
      say(texts.drill.unproved(transport, unprovedSeconds));
    }
    if (system.alertmanager !== undefined && pagedSeconds === undefined) {
      const about = (each: Parameters<typeof isAboutTransport>[0]) =>
        isAboutTransport(each, transport);
      page = (await pagedAlerts(system.alertmanager, about))?.[0];
      if (page !== undefined) {
        pagedSeconds = secondsSince(startMs, now());
        say(texts.drill.paged(page, pagedSeconds));
      }
    }
    const isAllSeen =
      unprovedSeconds !== undefined &&
      (system.alertmanager === undefined || pagedSeconds !== undefined);
    return isAllSeen ? true : undefined;
  };
  await lookUntil(look, { limitMs: LOOK_FOR_MS, everyMs: EVERY_MS }, { ...deps, guard });
  return { unprovedSeconds, pagedSeconds, page };
}

/** No canary that answers calls any path of the transport proved. */
async function isDead(transport: TransportKind, { system, now }: DrillDeps): Promise<boolean> {
  const { paths } = await allPathsSeen(system.canaries, now);
  const ofTransport = paths.filter(({ path }) => path.transport === transport);
  return ofTransport.length > 0 && ofTransport.every(({ isProved }) => !isProved);
}

/** Said to every probe; one that cannot be told hears again by itself, in minutes. */
async function hearAgain(
  probes: readonly KnownProbe[],
  { system, say, texts }: DrillDeps,
): Promise<void> {
  for (const probe of probes) {
    try {
      await setDeaf(probe, 0, system.internalToken);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      say(texts.drill.stillDeaf(probe.name, DEAF_SECONDS));
    }
  }
}

async function untilProved(
  transport: TransportKind,
  heardMs: number,
  guard: Guard,
  deps: DrillDeps,
): Promise<number | undefined> {
  const { system, texts, say, now } = deps;
  const look = async () => {
    const { paths, silent } = await allPathsSeen(system.canaries, now);
    const ofTransport = paths.filter(({ path }) => path.transport === transport);
    const isProved = ({ provedAtMs }: (typeof ofTransport)[number]) =>
      provedAtMs !== undefined && provedAtMs >= heardMs;
    return silent.length === 0 && ofTransport.every(isProved)
      ? secondsSince(heardMs, now())
      : undefined;
  };
  const limits = { limitMs: RECOVERY_MS, everyMs: EVERY_MS };
  const seconds = await lookUntil(look, limits, { ...deps, guard });
  say(seconds === undefined ? texts.drill.notRecovered : texts.drill.recovered(seconds));
  return seconds;
}

function resultOf(
  transport: TransportKind,
  { unprovedSeconds, pagedSeconds, page }: Seen,
  toRecoverySeconds: number | undefined,
  { system }: DrillDeps,
): DrillResult {
  const asked = system.alertmanager !== undefined;
  const toPageSeconds = asked ? pagedSeconds : unprovedSeconds;
  const problems = [
    ...(unprovedSeconds === undefined || unprovedSeconds > SEEN_WITHIN_SECONDS
      ? [`not seen within ${SEEN_WITHIN_SECONDS} s`]
      : []),
    ...(toPageSeconds === undefined || toPageSeconds > PAGED_WITHIN_SECONDS
      ? [`not paged within ${PAGED_WITHIN_SECONDS} s`]
      : []),
    ...(toRecoverySeconds === undefined ? [`not proved again within ${RECOVERY_MS / 1000} s`] : []),
  ];
  const how = asked
    ? `paged as ${page ?? 'nothing'} by Alertmanager`
    : 'time to page is when the canaries called it unproved: Alertmanager was not asked';
  return {
    ok: problems.length === 0,
    measures: {
      ...(toPageSeconds === undefined ? {} : { toPageSeconds }),
      ...(toRecoverySeconds === undefined ? {} : { toRecoverySeconds }),
    },
    note: [
      `probes of ${transport} deaf`,
      `unproved after ${unprovedSeconds ?? 'more than 210'} s`,
      how,
      ...problems,
    ].join('; '),
  };
}
