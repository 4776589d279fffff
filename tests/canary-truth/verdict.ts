import type { Expectation } from './breakage.ts';
import type { Call } from './calls.ts';

/** A path that is broken may be called proved for this long: a proof lives 90 s, a round under way may last 10 s. */
export const GRACE_SECONDS = 130;
/** Up to this age a proof counts, on the page and in rules. */
const FRESH_SECONDS = 90;

/** What a canary that answered said. */
export interface CanaryView {
  /** Names of the paths that it calls proved. */
  readonly proved: readonly string[];
  readonly total: number;
  readonly headline: string;
  /** Everything bad that its page says, the headline included; empty when it says that all is well. */
  readonly trouble: readonly string[];
}

/** What everybody said at one instant. */
export interface Sample {
  /** Since it was broken. */
  readonly seconds: number;
  /** By name; who did not answer is not there. */
  readonly canaries: Readonly<Record<string, CanaryView>>;
  /** What the metrics say, when Prometheus answered. */
  readonly metrics?: {
    /** Seconds since the newest proof of any canary, by path; and of each canary on any path. */
    readonly pathAges: Readonly<Record<string, number>>;
    readonly canaryAges: Readonly<Record<string, number>>;
    /** Alerts that fire, without the sign of life. */
    readonly firing: readonly string[];
    /** Alerts that will fire when what they see lasts. */
    readonly pending?: readonly string[];
  };
}

/** What is known of one played breakage. */
export interface Facts {
  readonly expected: Expectation;
  /** By canary: the paths that it cannot prove. */
  readonly unprovable: Readonly<Record<string, readonly string[]>>;
  /** Paths that no canary can prove. */
  readonly broken: readonly string[];
  readonly blind: readonly string[];
  readonly samples: readonly Sample[];
  /** Calls that began since it was broken, before it was healed. */
  readonly calls: readonly (Pick<Call, 'kind' | 'alert'> & { readonly seconds: number })[];
  /** With `recovers`: when all was proved again by itself. */
  readonly recoveredSeconds?: number | undefined;
}

/** Every false OK, in words; the only right answer is none. Pure. */
export function falseOks(facts: Facts): string[] {
  return [
    ...saidProved(facts),
    ...saidNothing(facts),
    ...metricsSaidFresh(facts),
    ...notTold(facts),
  ];
}

const late = ({ samples }: Pick<Facts, 'samples'>) =>
  samples.filter(({ seconds }) => seconds > GRACE_SECONDS);

/**
 * Those of these canaries that never answered while a false OK of theirs would have counted: nothing can be said of them.
 * Pure.
 */
export function unread(facts: Pick<Facts, 'samples'>, canaries: readonly string[]): string[] {
  const read = new Set(late(facts).flatMap((sample) => Object.keys(sample.canaries)));
  return canaries.filter((name) => !read.has(name));
}

/** True when each of these canaries answered, proves every path and says nothing bad. Pure. */
export function isWell({ canaries }: Pick<Sample, 'canaries'>, names: readonly string[]): boolean {
  return names.every((name) => {
    const view = canaries[name];
    return view !== undefined && view.proved.length === view.total && view.trouble.length === 0;
  });
}

/** A canary called a path proved that it cannot prove. */
function saidProved(facts: Facts): string[] {
  return firstPerKey(
    late(facts).flatMap(({ seconds, canaries }) =>
      Object.entries(canaries).flatMap(([canary, { proved }]) =>
        proved
          .filter((path) => facts.unprovable[canary]?.includes(path))
          .map((path) => ({
            key: `${canary} ${path}`,
            says: `after ${seconds} s canary ${canary} said that ${path} is proved`,
          })),
      ),
    ),
  );
}

/** The page of a canary that cannot prove some path said nothing bad at all. */
function saidNothing(facts: Facts): string[] {
  return firstPerKey(
    late(facts).flatMap(({ seconds, canaries }) =>
      Object.entries(canaries)
        .filter(
          ([canary, { trouble }]) =>
            (facts.unprovable[canary]?.length ?? 0) > 0 && trouble.length === 0,
        )
        .map(([canary, { headline }]) => ({
          key: canary,
          says: `after ${seconds} s the page of canary ${canary} said nothing but “${headline}”`,
        })),
    ),
  );
}

function metricsSaidFresh(facts: Facts): string[] {
  return firstPerKey(
    late(facts).flatMap(({ seconds, metrics }) => {
      const fresh = (ages: Readonly<Record<string, number>>, names: readonly string[]) =>
        names.filter((name) => (ages[name] ?? Number.POSITIVE_INFINITY) < FRESH_SECONDS);
      if (metrics === undefined) return [];
      return [
        ...fresh(metrics.pathAges, facts.broken).map((path) => ({
          key: path,
          says: `after ${seconds} s the metrics said that ${path} was proved ${metrics.pathAges[path]} s ago`,
        })),
        ...fresh(metrics.canaryAges, facts.blind).map((canary) => ({
          key: `canary ${canary}`,
          says: `after ${seconds} s the metrics said that canary ${canary} proved something ${metrics.canaryAges[canary]} s ago`,
        })),
      ];
    }),
  );
}

function notTold({ expected, calls, recoveredSeconds }: Facts): string[] {
  const { kind, alerts, withinSeconds } = expected;
  const inTime = calls.filter(({ seconds }) => seconds <= withinSeconds);
  // A page that says something else sends people elsewhere.
  const paged = inTime.some((call) => call.kind === 'page' && alerts.includes(call.alert));
  switch (kind) {
    case 'nobody':
      return [];
    case 'page':
      return paged ? [] : [`nobody was called for it within ${withinSeconds} s`];
    case 'ticket':
      return inTime.some(({ alert }) => alerts.includes(alert))
        ? []
        : [`nobody was told within ${withinSeconds} s`];
    case 'recovers':
      return paged || (recoveredSeconds ?? Number.POSITIVE_INFINITY) <= withinSeconds
        ? []
        : [`it did not recover within ${withinSeconds} s, and nobody was called`];
  }
}

/** Calls that nobody should have got: pages where redundancy hides the breakage, or where there is none. Pure. */
export function falseAlarms({ expected, calls }: Pick<Facts, 'expected' | 'calls'>): string[] {
  if (expected.kind !== 'nobody') return [];
  return calls.map(({ kind, alert, seconds }) => `${kind} ${alert} after ${seconds} s`);
}

/** True when what was expected has been told: there is nothing more to wait for. Pure. */
export function isTold({ expected, calls }: Pick<Facts, 'expected' | 'calls'>): boolean {
  const { kind, alerts } = expected;
  if (kind === 'page')
    return calls.some((call) => call.kind === 'page' && alerts.includes(call.alert));
  return kind === 'ticket' && calls.some(({ alert }) => alerts.includes(alert));
}

export interface Detection {
  readonly seconds: number;
  /** Who said it first: `page of canary b`, `Prometheus`, `pager`. */
  readonly by: string;
  /** What was said. */
  readonly said: string;
}

/** Who said first that something is wrong. Pure. */
export function detection({
  samples,
  calls,
}: Pick<Facts, 'samples' | 'calls'>): Detection | undefined {
  const said = samples.flatMap(({ seconds, canaries, metrics }): Detection[] => [
    ...Object.entries(canaries).flatMap(([name, view]) => {
      const unproved = view.total - view.proved.length;
      const words =
        view.trouble[0] ?? (unproved > 0 ? `${unproved} paths are not proved` : undefined);
      return words === undefined ? [] : [{ seconds, by: `page of canary ${name}`, said: words }];
    }),
    ...(metrics?.firing ?? [])
      .slice(0, 1)
      .map((alert) => ({ seconds, by: 'Prometheus', said: alert })),
  ]);
  const called = calls.map(({ seconds, alert, kind }) => ({ seconds, by: kind, said: alert }));
  return [...said, ...called].toSorted((a, b) => a.seconds - b.seconds)[0];
}

function firstPerKey(all: readonly { readonly key: string; readonly says: string }[]): string[] {
  const first = new Map<string, string>();
  for (const { key, says } of all) if (!first.has(key)) first.set(key, says);
  return [...first.values()];
}
