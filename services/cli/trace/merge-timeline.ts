import type { Answer, Asked } from './ask-services.ts';

/** One thing that one node did, on the common clock. */
export interface TimelineRow {
  /** Since ingest accepted the alert; what was done before has a minus. */
  readonly seconds: number;
  /** On the common clock. */
  readonly at: string;
  readonly kind: string;
  readonly node: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The last of several, since acceptance. */
  readonly lastSeconds?: number;
  /** Said of it by this node, because it does not answer itself. */
  readonly saidBy?: string;
}

/** A clock that was put right by what a canary measured. */
export interface CorrectedClock {
  readonly kind: string;
  readonly node: string;
  readonly skewSeconds: number;
}

export interface Timeline {
  readonly traceIds: readonly string[];
  /** The instant that seconds are counted from; undefined: nobody knows the alert. */
  readonly zeroAt: string | undefined;
  /** `accepted`: ingest's answer; `signed`: no ingest that took it answers, so it is the signature's instant. */
  readonly zero: 'accepted' | 'signed' | 'first';
  /** Whose clock all others are compared with; undefined: no canary answers, so clocks are as they are. */
  readonly clockOf: string | undefined;
  readonly corrected: readonly CorrectedClock[];
  readonly rows: readonly TimelineRow[];
  readonly noAnswer: readonly Pick<Asked, 'kind' | 'name'>[];
  readonly unknown: readonly Pick<Asked, 'kind' | 'name'>[];
  readonly refused: readonly Pick<Asked, 'kind' | 'name'>[];
}

interface Told {
  readonly kind: string;
  readonly name: string;
  readonly answer: Answer;
}

/** One story out of everybody's. Pure. */
export function mergeTimeline(asked: readonly Asked[]): Timeline {
  const told = asked.flatMap(({ kind, name, answer }): Told[] =>
    isAnswer(answer) ? [{ kind, name, answer }] : [],
  );
  const clocks = commonClock(told);
  const happened = told.flatMap((each) => happenings(each, told, clocks.skewMs));
  const { zeroMs, zero } = zeroOf(happened, told);
  const seconds = (ms: number) => Math.round(ms - (zeroMs ?? ms)) / 1000;
  const named = (isSo: (answer: Asked['answer']) => boolean) =>
    asked.filter(({ answer }) => isSo(answer)).map(({ kind, name }) => ({ kind, name }));
  return {
    traceIds: [...new Set(told.flatMap(({ answer }) => answer.traceId ?? []))].sort(),
    zeroAt: zeroMs === undefined ? undefined : new Date(zeroMs).toISOString(),
    zero,
    clockOf: clocks.reference,
    corrected: clocks.corrected,
    rows: happened
      .sort((a, b) => a.atMs - b.atMs)
      .map(({ atMs, lastAtMs, ...row }) => ({
        seconds: seconds(atMs),
        at: new Date(atMs).toISOString(),
        ...row,
        ...(lastAtMs === undefined ? {} : { lastSeconds: seconds(lastAtMs) }),
      })),
    noAnswer: named((answer) => answer === 'no-answer'),
    unknown: named((answer) => answer === 'unknown'),
    refused: named((answer) => typeof answer === 'object' && 'refused' in answer),
  };
}

function isAnswer(answer: Asked['answer']): answer is Answer {
  return typeof answer === 'object' && !('refused' in answer && !('events' in answer));
}

type Happening = Omit<TimelineRow, 'seconds' | 'at' | 'lastSeconds'> & {
  readonly atMs: number;
  readonly lastAtMs: number | undefined;
};

/** The events of one node, by the common clock. */
function happenings(
  { kind, name, answer }: Told,
  told: readonly Told[],
  skewMs: (kind: string, name: string) => number,
): Happening[] {
  return answer.events.flatMap((event): Happening[] => {
    const { lastAt, ...attributes } = event.attributes;
    const about = isOfPeer(event.name) ? attributes['node'] : undefined;
    const node = typeof about === 'string' ? about : name;
    if (node !== name && !isToldBy(name, node, told)) return [];
    // Times of acceptance are by the clock of who sent, also where a peer repeats them.
    const skew = skewMs(kind, node);
    return [
      {
        kind,
        node,
        name: event.name,
        attributes,
        atMs: Date.parse(event.at) - skew,
        lastAtMs: typeof lastAt === 'string' ? Date.parse(lastAt) - skew : undefined,
        ...(node === name ? {} : { saidBy: name }),
      },
    ];
  });
}

const isOfPeer = (event: string) => event.endsWith('-accepted');

/** A peer's word on a node counts where the node says nothing itself: the word of who counts the most of its sends. */
function isToldBy(by: string, node: string, told: readonly Told[]): boolean {
  const counted = (each: Told) =>
    each.answer.events.reduce((sum, { name, attributes }) => {
      const isIts = name === 'last-accepted' && (attributes['node'] ?? each.name) === node;
      return isIts ? sum + Number(attributes['count'] ?? 0) : sum;
    }, 0);
  const dispatchers = told.filter(({ kind }) => kind === 'dispatcher');
  const itself = dispatchers.find(({ name }) => name === node);
  if (itself && counted(itself) > 0) return false;
  const [most] = [...dispatchers].sort((a, b) => counted(b) - counted(a));
  return most?.name === by;
}

function zeroOf(
  happened: readonly Happening[],
  told: readonly Told[],
): { zeroMs: number | undefined; zero: Timeline['zero'] } {
  const first = (all: readonly number[]) => (all.length === 0 ? undefined : Math.min(...all));
  const accepted = first(
    happened.filter(({ name }) => name === 'accepted').map(({ atMs }) => atMs),
  );
  if (accepted !== undefined) return { zeroMs: accepted, zero: 'accepted' };
  const signed = first(
    told.flatMap(({ answer }) => (answer.issuedAt ? [Date.parse(answer.issuedAt)] : [])),
  );
  if (signed !== undefined) return { zeroMs: signed, zero: 'signed' };
  return { zeroMs: first(happened.map(({ atMs }) => atMs)), zero: 'first' };
}

/**
 * The clock that all rows are on: that of the first canary that answers. Another canary's is known by the nodes that both
 * measured. What was not measured is taken as it is.
 */
function commonClock(told: readonly Told[]) {
  const canaries = told.filter(({ answer }) => (answer.clockSkew?.length ?? 0) > 0);
  const [reference] = canaries;
  const skews = new Map<string, number>();
  const byReference = skewsOf(reference);
  for (const [key, skew] of byReference) skews.set(key, skew);
  for (const canary of canaries.slice(1)) {
    const own = skewsOf(canary);
    const apart = [...own].flatMap(([key, skew]) => {
      const same = byReference.get(key);
      return same === undefined ? [] : [same - skew];
    });
    skews.set(`canary ${canary.name}`, median(apart));
    for (const [key, skew] of own) if (!skews.has(key)) skews.set(key, skew + median(apart));
  }
  const corrected = [...skews].flatMap(([key, skewSeconds]) => {
    const [kind = '', node = ''] = key.split(' ');
    return skewSeconds === 0 ? [] : [{ kind, node, skewSeconds }];
  });
  return {
    reference: reference && `canary ${reference.name}`,
    corrected,
    skewMs: (kind: string, name: string) => (skews.get(`${kind} ${name}`) ?? 0) * 1000,
  };
}

function skewsOf(canary: Told | undefined): Map<string, number> {
  const entries = canary?.answer.clockSkew ?? [];
  return new Map(entries.map(({ kind, node, skewSeconds }) => [`${kind} ${node}`, skewSeconds]));
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
