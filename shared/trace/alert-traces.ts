import type { Audience } from '../alert/audience.ts';
import type { Clock } from '../time/clock.ts';
import { systemClock } from '../time/clock.ts';
import {
  type TraceAttributes,
  type TraceEvent,
  type TraceEventName,
  traceEvent,
} from './trace-answer.ts';
import { randomSpanId, type TraceContext, type TraceOrigin } from './trace-context.ts';

/** A piece of work that is over, for who exports it. */
export interface Span extends TraceContext {
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly alertId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: TraceAttributes;
  readonly ok: boolean;
}

/** A piece of work that has begun. `context` goes into the header of what it sends. */
export interface OpenSpan {
  readonly context: TraceContext | undefined;
  /** Once; what comes after is ignored. */
  readonly end: (attributes?: TraceAttributes, ok?: boolean) => void;
}

/** People's alerts and tests that are remembered: a canary's rounds, thousands a day, never push out a real alert. */
const KEPT: Readonly<Record<Audience, number>> = { public: 200, canary: 50 };
/** Different things that are remembered of one alert. A thing that happens again only counts. */
const MAX_NOTES = 100;

interface Note {
  readonly name: TraceEventName;
  readonly attributes: TraceAttributes;
  readonly atMs: number;
  lastAtMs: number;
  count: number;
}

interface Story {
  readonly context: TraceContext;
  readonly notes: Map<string, Note>;
  readonly own: OpenSpan;
}

interface Options {
  readonly now?: Clock;
  readonly newSpanId?: () => string;
  /** Must not throw and must not take time. */
  readonly onSpan?: (span: Span) => void;
}

/**
 * What one service did with the last alerts, in memory: the trace of each, the instants of what was done, and the spans
 * for who exports them. Bounded in alerts and in what is kept of each; nothing in it is about one device.
 */
export class AlertTraces {
  readonly #stories: Readonly<Record<Audience, Map<string, Story>>> = {
    public: new Map(),
    canary: new Map(),
  };
  readonly #now: Clock;
  readonly #newSpanId: () => string;
  readonly #onSpan: (span: Span) => void;

  constructor({ now = systemClock, newSpanId = randomSpanId, onSpan }: Options = {}) {
    this.#now = now;
    this.#newSpanId = newSpanId;
    this.#onSpan = onSpan ?? (() => undefined);
  }

  /** The alert begins here; a second time nothing changes. Returns this service's own span of it. */
  begin(alertId: string, audience: Audience, origin: TraceOrigin, name = 'take'): TraceContext {
    const known = this.#find(alertId);
    if (known) return known.context;
    const { traceId, sampled } = origin;
    const context = { traceId, spanId: this.#newSpanId(), sampled };
    const own = this.#open({ context, parentSpanId: origin.parentSpanId, name, alertId });
    const stories = this.#stories[audience];
    stories.set(alertId, { context, notes: new Map(), own });
    const [oldest] = stories.keys();
    if (stories.size > KEPT[audience] && oldest !== undefined) stories.delete(oldest);
    return context;
  }

  contextOf(alertId: string): TraceContext | undefined {
    return this.#find(alertId)?.context;
  }

  /** What every log line about an alert carries. */
  logFields(alertId: string): { alertId: string; traceId?: string } {
    const context = this.#find(alertId)?.context;
    return context === undefined ? { alertId } : { alertId, traceId: context.traceId };
  }

  /** Notes that something was done, `count` times; the same again only counts. An alert that has not begun has no notes. */
  note(alertId: string, name: TraceEventName, attributes: TraceAttributes = {}, count = 1): void {
    const notes = this.#find(alertId)?.notes;
    if (!notes) return;
    const atMs = this.#now();
    const key = [name, ...Object.values(attributes)].join(' ');
    const before = notes.get(key);
    if (before) {
      before.lastAtMs = atMs;
      before.count += count;
    } else if (notes.size < MAX_NOTES)
      notes.set(key, { name, attributes, atMs, lastAtMs: atMs, count });
  }

  /** In the order in which they were noted first. */
  events(alertId: string): TraceEvent[] {
    const notes = [...(this.#find(alertId)?.notes.values() ?? [])];
    return notes.map(({ name, attributes, atMs, lastAtMs, count }) =>
      traceEvent(atMs, name, {
        ...attributes,
        ...(count === 1 ? {} : { count }),
        ...(lastAtMs === atMs ? {} : { lastAt: new Date(lastAtMs).toISOString() }),
      }),
    );
  }

  /** Ends this service's own span of an alert. */
  end(alertId: string, attributes: TraceAttributes = {}, ok = true): void {
    this.#find(alertId)?.own.end(attributes, ok);
  }

  /** Begins a piece of work within it. */
  child(alertId: string, name: string): OpenSpan {
    const parent = this.#find(alertId)?.context;
    if (!parent) return { context: undefined, end: () => undefined };
    const context = { ...parent, spanId: this.#newSpanId() };
    return this.#open({ context, parentSpanId: parent.spanId, name, alertId });
  }

  #find(alertId: string): Story | undefined {
    return this.#stories.public.get(alertId) ?? this.#stories.canary.get(alertId);
  }

  #open(begun: {
    context: TraceContext;
    parentSpanId: string | undefined;
    name: string;
    alertId: string;
  }): OpenSpan {
    const { context, ...rest } = begun;
    const startMs = this.#now();
    let isOver = false;
    return {
      context,
      end: (attributes = {}, ok = true) => {
        if (isOver) return;
        isOver = true;
        this.#onSpan({ ...context, ...rest, startMs, endMs: this.#now(), attributes, ok });
      },
    };
  }
}
