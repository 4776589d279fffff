import type { Texts } from '../texts-fr.ts';
import type { Timeline, TimelineRow } from './merge-timeline.ts';

/** The timeline as a table: seconds since acceptance, who, what; then who is missing from it and what was put right. */
export function timelineLines(alertId: string, timeline: Timeline, texts: Texts): string[] {
  const { trace } = texts;
  const rows = timeline.rows.map((row) => ({
    when: signed(row.seconds, texts),
    who: trace.node(row.kind, row.node),
    what: `${trace.event(row.name, facts(row, texts))}${row.saidBy === undefined ? '' : trace.saidBy(row.saidBy)}`,
  }));
  const [when, who] = [width(rows.map((row) => row.when)), width(rows.map((row) => row.who))];
  const names = (nodes: Timeline['noAnswer']) =>
    nodes.map(({ kind, name }) => trace.node(kind, name)).join(', ');
  return [
    trace.title(alertId, timeline.zeroAt),
    ...timeline.traceIds.map((id) => trace.traceId(id)),
    ...(timeline.zero === 'signed' ? [trace.fromSignature] : []),
    '',
    ...rows.map((row) => `  ${row.when.padStart(when)}  ${row.who.padEnd(who)}  ${row.what}`),
    '',
    ...(timeline.noAnswer.length === 0 ? [] : [trace.noAnswer(names(timeline.noAnswer))]),
    ...(timeline.refused.length === 0 ? [] : [trace.refusedBy(names(timeline.refused))]),
    ...(timeline.unknown.length === 0 ? [] : [trace.unknown(names(timeline.unknown))]),
    ...clockLines(timeline, texts),
  ];
}

function clockLines({ clockOf, corrected }: Timeline, { trace, number }: Texts): string[] {
  if (clockOf === undefined) return [trace.noClock];
  const [kind = '', name = ''] = clockOf.split(' ');
  const off = corrected.map(
    ({ kind, node, skewSeconds }) => `${trace.node(kind, node)} ${number(skewSeconds)} s`,
  );
  return [trace.clock(trace.node(kind, name), off.join(', '))];
}

/** What an event's text is made of: its attributes as words and numbers. */
export interface EventFacts {
  readonly lane: string;
  readonly target: string;
  readonly site: string;
  readonly node: string;
  readonly transport: string;
  readonly result: string;
  readonly state: string;
  readonly action: string;
  readonly trace: string;
  readonly probe: string;
  readonly count: number;
  /** When the last of several was; empty for one. */
  readonly last: string;
}

function facts({ attributes, lastSeconds }: TimelineRow, texts: Texts): EventFacts {
  const text = (name: string) => {
    const value = attributes[name];
    return typeof value === 'string' ? value : '';
  };
  const count = attributes['count'];
  return {
    lane: text('lane'),
    target: text('target'),
    site: text('site'),
    node: text('node'),
    transport: text('transport'),
    result: text('result'),
    state: text('state'),
    action: text('action'),
    trace: text('trace'),
    probe: text('probe'),
    count: typeof count === 'number' ? count : 1,
    last: lastSeconds === undefined ? '' : signed(lastSeconds, texts),
  };
}

function signed(seconds: number, { trace }: Texts): string {
  return `${seconds < 0 ? '−' : '+'}${trace.seconds(Math.abs(seconds))}`;
}

function width(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}
