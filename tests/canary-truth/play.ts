import { setTimeout as delay } from 'node:timers/promises';
import { errorFields } from '../../shared/log/error-fields.ts';
import type { Breakage } from './breakage.ts';
import { type Call, keyOf, news, open } from './calls.ts';
import type { Healthy } from './system/health.ts';
import type { TruthSystem } from './system/truth-system.ts';
import {
  detection,
  type Facts,
  falseAlarms,
  falseOks,
  GRACE_SECONDS,
  isTold,
  isWell,
  type Sample,
  unread,
} from './verdict.ts';

const LOOK_EVERY_MS = 2_000;
const OBSERVE_SECONDS = 150;
/** After what was expected should have come: whatever comes now is too late. */
const AFTER_LIMIT_SECONDS = 5;
const PROVED_AGAIN_MS = 240_000;

/** What became of one breakage. */
export interface Played {
  readonly name: string;
  readonly group: string;
  readonly title: string;
  readonly expected: Breakage['expected'];
  /** When it was broken. */
  readonly at: string;
  readonly brokenPaths: readonly string[];
  /** What stayed healthy at the moment of detection. */
  readonly healthy: Healthy;
  readonly detectedSeconds: number | null;
  readonly detectedBy: string | null;
  /** The page when somebody was called, and right before it was healed; null when none answered. */
  readonly pageAtCall: SaidPage | null;
  readonly pageAtEnd: SaidPage | null;
  readonly pagerSeconds: number | null;
  /** Everything that was told, the first of each name. */
  readonly told: readonly {
    readonly kind: string;
    readonly alert: string;
    readonly seconds: number;
  }[];
  readonly observedSeconds: number;
  /** From the healing on: until every path is proved, and until the last page is taken back; null: not yet. */
  readonly provedAgainSeconds: number | null;
  readonly takenBackSeconds: number | null;
  readonly falseOks: readonly string[];
  readonly falseAlarms: readonly string[];
}

/** The worse page of those that answered. */
interface SaidPage {
  readonly canary: string;
  readonly headline: string;
  /** Everything bad that it said. */
  readonly trouble: readonly string[];
}

/** A played breakage, and what is still to be filled in. */
export interface Playing {
  readonly played: Played;
  /** Pages that began with it are looked for between these. */
  readonly fromMs: number;
  readonly healedMs: number;
}

/** Breaks, watches, heals. Rejects when it cannot be played, or when the system does not come back. */
export async function play(breakage: Breakage, system: TruthSystem): Promise<Playing> {
  await system.untilQuiet(breakage.expected.alerts);
  const all = await system.paths();
  const unprovable = Object.fromEntries(
    system
      .sites()
      .map((canary) => [
        canary,
        all.filter(({ path }) => breakage.breaks(path, canary)).map(({ name }) => name),
      ]),
  );
  const broken = all
    .map(({ name }) => name)
    .filter((name) => Object.values(unprovable).every((names) => names.includes(name)));
  const counts = await system.providerCounts();
  const left = await leftovers(system, breakage.expected.alerts);
  const fromMs = Date.now();
  await breakage.begin(system);
  let isHealed = false;
  try {
    const seen = await watch(breakage, system, { fromMs, left, counts });
    checkRead(seen, system);
    const facts: Facts = {
      ...seen,
      expected: breakage.expected,
      unprovable,
      broken,
      blind: breakage.blind ?? [],
    };
    await breakage.heal(system);
    isHealed = true;
    const healedMs = Date.now();
    await system.untilProved(PROVED_AGAIN_MS);
    const provedAgainSeconds = secondsSince(healedMs);
    const played = playedOf(breakage, facts, { fromMs, healthy: seen.healthy, provedAgainSeconds });
    return { played, fromMs, healedMs };
  } finally {
    if (!isHealed) await breakage.heal(system).catch(() => undefined);
  }
}

/** What an earlier breakage has left behind: rules that look back for minutes may speak of it during this one. */
interface Leftovers {
  readonly calls: ReadonlySet<string>;
  /** Alerts that fire, or are about to; nothing is believed of them but what is expected. */
  readonly alerts: ReadonlySet<string>;
}

async function leftovers(system: TruthSystem, expected: readonly string[]): Promise<Leftovers> {
  const { metrics } = await system.observe();
  const alerts = [...(metrics?.firing ?? []), ...(metrics?.pending ?? [])];
  return {
    calls: new Set(open(system.calls()).map(keyOf)),
    alerts: new Set(alerts.filter((alert) => !expected.includes(alert))),
  };
}

interface Began {
  readonly fromMs: number;
  readonly left: Leftovers;
  readonly counts: Awaited<ReturnType<TruthSystem['providerCounts']>>;
}
type Seen = Pick<Facts, 'samples' | 'calls' | 'recoveredSeconds'> & { readonly healthy: Healthy };

/** Looks every two seconds until what was expected has been told, or should have been. */
async function watch(breakage: Breakage, system: TruthSystem, began: Began): Promise<Seen> {
  const { expected, observeSeconds = OBSERVE_SECONDS } = breakage;
  const { fromMs, left, counts } = began;
  const samples: Sample[] = [];
  let healthy: Healthy | undefined;
  let recoveredSeconds: number | undefined;
  for (;;) {
    const sample = await sampleOf(system, fromMs, left);
    samples.push(sample);
    const calls = callsSince(system.calls(), fromMs, left);
    const facts = { expected, samples, calls };
    if (healthy === undefined && detection(facts) !== undefined)
      healthy = await system.health(counts, await system.providerCounts());
    // Sooner a path may be called proved by what was proved before.
    if (sample.seconds > GRACE_SECONDS && isWell(sample, system.sites()))
      recoveredSeconds ??= sample.seconds;
    const isEnough =
      isTold(facts) || (expected.kind === 'recovers' && recoveredSeconds !== undefined);
    const seconds = secondsSince(fromMs);
    const limit = Math.max(observeSeconds, expected.withinSeconds + AFTER_LIMIT_SECONDS);
    if (seconds >= limit || (seconds >= observeSeconds && isEnough)) break;
    await delay(LOOK_EVERY_MS);
  }
  return {
    samples,
    calls: callsSince(system.calls(), fromMs, left),
    recoveredSeconds,
    healthy: healthy ?? (await system.health(counts, await system.providerCounts())),
  };
}

/** Throws for a canary that runs and could not be read: what it said is not known, and no right answer. */
function checkRead(seen: Seen, system: TruthSystem): void {
  const { running } = seen.healthy;
  const silent = unread(
    seen,
    system.sites().filter((name) => running.includes(`canary-${name}`)),
  );
  if (silent.length > 0)
    throw new Error(
      `canary ${silent.join(' and ')} ran and was not read once after ${GRACE_SECONDS} s`,
    );
}

async function sampleOf(system: TruthSystem, fromMs: number, left: Leftovers): Promise<Sample> {
  const { canaries, metrics } = await system.observe();
  const seconds = secondsSince(fromMs);
  if (metrics === undefined) return { seconds, canaries };
  const firing = metrics.firing.filter((alert) => !left.alerts.has(alert));
  return { seconds, canaries, metrics: { ...metrics, firing } };
}

/** What is new since then: what was open before may be told again. */
function callsSince(calls: readonly Call[], fromMs: number, left: Leftovers): Facts['calls'] {
  return news(calls)
    .filter(
      (call) =>
        call.status === 'firing' &&
        call.atMs >= fromMs &&
        !left.calls.has(keyOf(call)) &&
        !left.alerts.has(call.alert),
    )
    .map(({ kind, alert, atMs }) => ({ kind, alert, seconds: Math.round((atMs - fromMs) / 1000) }));
}

function playedOf(
  { name, group, title, expected }: Breakage,
  facts: Facts,
  more: { fromMs: number; healthy: Healthy; provedAgainSeconds: number },
): Played {
  const found = detection(facts);
  const first = (kind: string) => facts.calls.find((call) => call.kind === kind);
  const page = facts.calls.find(
    (call) => call.kind === 'page' && expected.alerts.includes(call.alert),
  );
  const pagerSeconds = (page ?? first('page'))?.seconds ?? null;
  const pages = facts.samples.filter(({ canaries }) => Object.keys(canaries).length > 0);
  const last = pages.at(-1);
  const calledSeconds = pagerSeconds ?? Number.POSITIVE_INFINITY;
  const shown = pages.find(({ seconds }) => seconds >= calledSeconds) ?? last;
  const names = [...new Set(facts.calls.map(({ alert }) => alert))];
  return {
    name,
    group,
    title,
    expected,
    at: new Date(more.fromMs).toISOString(),
    brokenPaths: facts.broken,
    healthy: more.healthy,
    detectedSeconds: found?.seconds ?? null,
    detectedBy: found?.by ?? null,
    pageAtCall: worstPage(shown),
    pageAtEnd: worstPage(last),
    pagerSeconds,
    told: names.flatMap((alert) => facts.calls.find((call) => call.alert === alert) ?? []),
    observedSeconds: facts.samples.at(-1)?.seconds ?? 0,
    provedAgainSeconds: more.provedAgainSeconds,
    takenBackSeconds: null,
    falseOks: falseOks(facts),
    falseAlarms: falseAlarms(facts),
  };
}

/** The page that says most: somebody on call looks at all of them. */
function worstPage(sample: Sample | undefined): SaidPage | null {
  const [worst] = Object.entries(sample?.canaries ?? {}).toSorted(
    ([, a], [, b]) => a.proved.length - b.proved.length || b.trouble.length - a.trouble.length,
  );
  if (worst === undefined) return null;
  const [canary, { headline, trouble }] = worst;
  return { canary, headline, trouble };
}

function secondsSince(fromMs: number): number {
  return Math.round((Date.now() - fromMs) / 1000);
}

/** Why a breakage cannot be played, in one line. */
export function reasonOf(error: unknown): string {
  return errorFields(error).error.slice(0, 500);
}
