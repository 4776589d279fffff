import type { TraceTexts } from './texts-fr.ts';
import type { EventFacts } from './timeline-lines.ts';

const seconds = (s: number) => `${s.toFixed(3)} s`;
const number = (n: number) => n.toLocaleString('en-GB');
const many = (n: number, one: string, several: string) => `${number(n)} ${n === 1 ? one : several}`;

const LANES: Readonly<Record<string, string>> = {
  bus: 'by the bus',
  direct: 'by the direct lane',
  peer: 'from a peer',
  journal: 'from a dispatcher’s journal',
};
const RESULTS: Readonly<Record<string, string>> = {
  'two-sites': 'two sites have it on disk',
  'one-site': 'one site only has it on disk',
  stored: 'written',
  duplicate: 'known already',
  conflict: 'other content under this id',
};
const STATES: Readonly<Record<string, string>> = {
  open: 'interrupted, will go on',
  done: 'done',
  expired: 'expired',
  cancelled: 'cancelled',
  journaled: 'kept, not sent',
};
const ACTIONS: Readonly<Record<string, string>> = {
  shown: 'shown',
  replaced: 'updated',
  'taken-down': 'taken down',
  ignored: 'known already',
};
const TRACES: Readonly<Record<string, string>> = {
  other: ', under another trace',
  none: ', without a trace',
};

const node = (kind: string, name: string) => `${kind} ${name}`;
const target = (e: EventFacts) =>
  e.target === 'bus' ? `bus of site ${e.site}` : node(e.target, e.node);
const times = (e: EventFacts) =>
  e.count === 1 ? '' : ` (${number(e.count)} times${e.last === '' ? '' : `, until ${e.last}`})`;
const upTo = (e: EventFacts) => (e.last === '' ? '' : `, until ${e.last}`);
const accepted = (what: string) => (e: EventFacts) => `${e.transport}: ${what}`;

const EVENTS: Readonly<Record<string, (e: EventFacts) => string>> = {
  written: () => 'checked, signed, written to disk; the sends begin',
  'lane-acknowledged': (e) => `${target(e)} has it on disk`,
  'lane-failed': (e) => `${target(e)} did not acknowledge${times(e)}`,
  'lane-conflict': (e) => `${target(e)} has other content under this id`,
  accepted: (e) => `accepted (202)${e.result === '' ? '' : `: ${RESULTS[e.result] ?? e.result}`}`,
  'not-accepted': () => 'refused: no site acknowledged',
  repeated: (e) => `the same message again, the same answer${times(e)}`,
  arrived: (e) =>
    `arrived ${LANES[e.lane] ?? e.lane}${e.result === 'stored' ? '' : ` (${RESULTS[e.result] ?? e.result})`}${times(e)}`,
  'taken-up-again': () => 'taken up where it was left (the process had been stopped)',
  'peer-unanswering': (e) => `dispatcher ${e.node} does not answer any more${times(e)}`,
  'peer-answering': (e) => `dispatcher ${e.node} answers again${times(e)}`,
  started: (e) => `${e.transport}: fan-out begins`,
  'first-accepted': accepted('first send accepted by the provider'),
  'p50-accepted': accepted('50 % accepted'),
  'p95-accepted': accepted('95 % accepted'),
  'p99-accepted': accepted('99 % accepted'),
  'last-accepted': (e) => `${e.transport}: last accepted, ${number(e.count)} in all`,
  retried: (e) => `${e.transport}: ${many(e.count, 'send', 'sends')} tried again${upTo(e)}`,
  'taken-over': (e) =>
    `${e.transport}: takes over ${many(e.count, 'shard', 'shards')} that dispatcher ${e.node} left${upTo(e)}`,
  completed: (e) =>
    `${e.transport === '' ? '' : `${e.transport}: `}fan-out ${STATES[e.state] ?? e.state}`,
  'ended-by-other': () => 'a cancellation or an update puts an end to it',
  'on-page': () => 'on the public page',
  'page-read': (e) => `its page is read${times(e)}`,
  'device-receipt': (e) =>
    `${e.transport}: ${many(e.count, 'receipt', 'receipts')} of devices, ${ACTIONS[e.action] ?? e.action}${upTo(e)}${TRACES[e.trace] ?? ''}`,
  witnessed: (e) => `${e.transport}: received and verified by probe ${e.probe}, sent by ${e.node}`,
};

/** The same in English. */
export const TRACE_ENGLISH: TraceTexts = {
  seconds,
  node,
  event: (name, e) => EVENTS[name]?.(e) ?? name,
  title: (id, zeroAt) =>
    `Message ${id}${zeroAt === undefined ? '' : `, accepted at ${zeroAt}`}; seconds since acceptance`,
  traceId: (id) => `Trace ${id}`,
  fromSignature: 'No ingest that took it answers: seconds are counted from the signature.',
  saidBy: (name) => ` (said by ${name})`,
  noAnswer: (nodes) => `NO ANSWER: ${nodes}. They may have done more than stands here.`,
  refusedBy: (nodes) =>
    `Refused to answer: ${nodes}. Look at internalTokenFile in the configuration.`,
  unknown: (nodes) => `Do not know this message: ${nodes}.`,
  clock: (reference, off) =>
    `Clocks compared by ${reference}, to half a second: ${off === '' ? 'all agree' : `put right by ${off}`}.`,
  noClock: 'No canary answers: clocks are taken as they are.',
  badId: 'The id of a message has 32 characters from 0 to 9 and a to f.',
  nobody: 'No service answers.',
  nobodyKnows: (id) => `None of the services that answer knows message ${id}.`,
  help: {
    trace: 'what each service did with message ID, second by second',
    json: 'as JSON',
  },
};
