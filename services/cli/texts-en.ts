import { DRILL_ENGLISH } from './drill/texts-en.ts';
import { PROBES_ENGLISH } from './probes/texts-en.ts';
import type { Texts } from './texts-fr.ts';
import { TRACE_ENGLISH } from './trace/texts-en.ts';

const number = (n: number) => n.toLocaleString('en-GB');
const seconds = (n: number) => `${n.toFixed(1)} s`;

/** Seconds, and from two minutes on minutes and seconds. */
const duration = (s: number, short: (s: number) => string) =>
  s < 120
    ? short(s)
    : `${number(Math.floor(Math.round(s) / 60))} min ${String(Math.round(s) % 60).padStart(2, '0')} s`;

const STATES: Readonly<Record<string, string>> = {
  sending: 'being sent',
  done: 'sent',
  expired: 'expired',
  cancelled: 'cancelled',
  journaled: 'stored, not sent (too late)',
  'no-answer': 'does not answer',
  unknown: 'no dispatcher answers',
  'unknown-alert': 'does not know this message',
  'not-stored': 'refused, stored nowhere',
};

const ACTIONS: Readonly<Record<string, string>> = {
  shown: 'shown',
  replaced: 'updated',
  'taken-down': 'taken down',
  ignored: 'known already',
};

/** The same in English. */
export const ENGLISH: Texts = {
  language: 'en-GB',
  number,
  seconds,
  confirmWord: 'SEND',
  confirm: (word) => `Type ${word} to send this alert to the population: `,
  notConfirmed: 'Nothing was sent.',
  refused: (what) => `Refused: ${what}`,
  action: (what) => `What to do: ${what}`,
  problems: (n) =>
    `The message is not ready, ${n} ${n === 1 ? 'thing' : 'things'} to correct, nothing was sent:`,
  notJson: (file) => `${file} is not valid JSON.`,
  unreadable: (file) => `Cannot read ${file}.`,
  needsId:
    'This file is an update or a cancellation: say of which alert with "tocsin update ID FILE" or "tocsin cancel ID FILE".',
  wrongStatus: (file, alert) => `The file is ${file}, the alert is ${alert}: nothing was sent.`,
  wrongType: (wanted) => `The file has the wrong msgType: it must be ${wanted}.`,
  willSend: 'Message to send:',
  summary: {
    status: (status, msgType) => `  Kind      ${status}, ${msgType}`,
    area: (area) => `  Area      ${area}`,
    headline: (headline) => `  Headline  ${headline}`,
    languages: (list) => `  Languages ${list.length} (${list.join(', ')})`,
    expires: (text) => `  Expires   ${text}`,
  },
  passedOver: (name, status, next) =>
    `Ingest ${name} ${status === undefined ? 'does not answer' : `answers ${status}`}: same message to ingest ${next}.`,
  ingestFailed: (name, url, status) =>
    `  ${name} (${url}): ${status === undefined ? 'no answer' : `answer ${status}`}`,
  noIngest: 'No ingest took the request.',
  noIngestAction:
    'What to do: try again (a repeated message is shown once). If nothing answers, use the other means of warning and call the person on call.',
  accepted: (id, ingest) => `Accepted by ingest ${ingest}. Id: ${id}`,
  durability: (value, storedBy) =>
    value === 'one-site'
      ? `WARNING: stored in one site only${storedBy}. The alert is going out; tell the person on call.`
      : `Stored on disk in two sites or more${storedBy}.`,
  nobody: 'WARNING: no device is registered in this area. Check the INSEE codes.',
  audience: (counts) => `Devices registered in the area: ${counts}`,
  link: (name, url) => `  ${name}: ${url}`,
  state: (state) => STATES[state] ?? state,
  title: (id, state) => `Message ${id}: ${STATES[state] ?? state}`,
  transport: (kind, t) =>
    `  ${kind.padEnd(9)} ${number(t.accepted)} of ${number(t.audience)} accepted by the provider` +
    `${t.pending > 0 ? `, ${number(t.pending)} pending` : ''}${t.gone > 0 ? `, ${number(t.gone)} gone` : ''}` +
    `${t.rejected > 0 ? `, ${number(t.rejected)} rejected` : ''}`,
  transportTimes: (first, last) => ` (first after ${seconds(first)}, last after ${seconds(last)})`,
  transportTiming: ({ firstSeconds, p50Seconds, p95Seconds, p99Seconds, lastSeconds }) =>
    `            accepted after: first ${seconds(firstSeconds)}, half ${seconds(p50Seconds)}, 95 % ${seconds(p95Seconds)}, 99 % ${seconds(p99Seconds)}, last ${seconds(lastSeconds)}`,
  node: (name, state, counts) => `  node ${name.padEnd(4)} ${STATES[state] ?? state}${counts}`,
  nodeCounts: (counts) =>
    counts.length === 0 ? '' : `: ${counts.map(([kind, n]) => `${kind} ${number(n)}`).join(', ')}`,
  probes: (received, total, afterSeconds) =>
    received === 0
      ? `  No probe${total ? ` of ${total}` : ''} has received it yet`
      : `  Received and verified by ${total ? `${received} of ${total}` : received} ${(total ?? received) === 1 ? 'probe' : 'probes'}${afterSeconds === undefined ? '' : ` after ${seconds(afterSeconds)}`}`,
  receipts: (kind, actions) =>
    `  ${kind} devices: ${Object.entries(actions)
      .map(([action, n]) => `${ACTIONS[action] ?? action} ${number(n)}`)
      .join(', ')}`,
  waiting: 'No answer for now, trying again…',
  lost: 'No ingest answers any more. The accepted alert goes on; follow it later with "tocsin status".',
  keyMade: (id) => `Key ${id} made. It is shown once, keep it in a safe place:`,
  keyEntry: 'For the key file of every ingest (it holds the hash only):',
  keyAppended: (file) => `Added to ${file}. Restart the ingests one after the other.`,
  keyExists: (id, file) => `There is a key ${id} in ${file} already.`,
  fileExists: (file) => `${file} exists: a key is never overwritten.`,
  privateWritten: (file) => `Private part written to ${file} (only you can read it).`,
  publicPart:
    'Public part, to be added to the trusted keys (TRUSTED_KEYS_FILE) everywhere before anything is signed with it:',
  vapidPublic: 'VAPID public key (VAPID_PUBLIC_KEY of the edges):',
  apiKeysTitle: (file) => `API keys in ${file}:`,
  signingKeysTitle: (file) => `Trusted signing keys in ${file}:`,
  keyExpires: (when) => `, until ${when}`,
  wrongKey: 'The key does not fit:',
  imported: (done, refused) => `${number(done)} registered, ${number(refused)} refused`,
  lineRefused: (line, device, why) => `line ${line}${device === '' ? '' : ` (${device})`}: ${why}`,
  resume: (line) =>
    `Interrupted. To go on, add --from-line ${line}. A line sent twice counts once.`,
  noEdge: 'No edge answers.',
  noEdges: 'The configuration names no edge.',
  routesTitle: 'Last proof of each path (a proof = a witness device received and verified):',
  route: (path, age) =>
    `  ${age === undefined || age > 150 ? '✗' : '✓'} ${path.padEnd(36)} ${age === undefined ? 'never proved' : `${Math.round(age)} s ago`}`,
  routesBad: 'At least one path is not proved. An alert takes every path, proved or not.',
  noDispatchers: 'The configuration names no dispatcher (dispatchers).',
  dispatchersSilent: 'Some dispatchers did not answer; try again later for them:',
  quarantineOf: (node, transports) =>
    transports.length === 0
      ? `Dispatcher ${node}: nobody in quarantine`
      : `Dispatcher ${node}: ${transports
          .map(
            ({ transport, count, oldest, newest }) =>
              `${transport} ${number(count)} (from ${oldest} to ${newest})`,
          )
          .join(', ')}`,
  quarantineJudged: (node, action, judged, removed) =>
    action === 'release'
      ? `Dispatcher ${node}: ${number(judged)} released, still subscribed`
      : `Dispatcher ${node}: ${number(removed)} removed, ${number(judged - removed)} kept (registered again since)`,
  dropWord: 'REMOVE',
  confirmDrop: (word) =>
    `Type ${word} to remove these devices; nothing will be sent to them any more: `,
  notDropped: 'Nobody was removed (--yes not to wait for a confirmation).',
  duration: (s) => duration(s, seconds),
  plan: {
    title: (audience, nodes) =>
      `One alert to ${number(audience)} devices, ${number(nodes)} ${nodes === 1 ? 'dispatcher' : 'dispatchers'}: time from the first send until the provider accepts`,
    given: (input) =>
      `FCM quota ${number(input.quotaPerMinute)} a minute and project, ramp ${input.rampSeconds} s; each dispatcher sends ${number(input.nodeRatePerSecond)} a second; providers answer in ${number(input.replyMs)} ms`,
    projects: (n) => `${number(n)} FCM ${n === 1 ? 'project' : 'projects'}`,
    columns: ['devices', '50 %', '95 %', '99 %', 'last'],
    limit: 'held back by',
    limits: { quota: 'quota', nodes: 'our machines', 'in-flight': 'sends in flight' },
    all: 'all',
    notes: [
      'Accepted is not received: phones that are off or out of reach get it later, until the alert expires.',
      'Push services publish no limits: one that throttles takes longer. A dispatcher sends to one FCM project; several need devices that are registered with each.',
    ],
  },
  drill: DRILL_ENGLISH,
  trace: TRACE_ENGLISH,
  probePages: PROBES_ENGLISH,
  badOption: (option, what) => `${option}: ${what}`,
  help: {
    headings: {},
    program: 'Tocsin: raise, correct, stop and follow an alert from a terminal.',
    show: 'shows this help',
    config: 'file of addresses and keys (or TOCSIN_CONFIG, or .tocsin/cli.json)',
    lang: 'language: fr or en (or that of the machine)',
    send: 'checks, then sends the CAP message (JSON) in FILE',
    update: 'replaces alert ID by the message in FILE (which holds only what changes)',
    cancel: 'cancels alert ID, sent by mistake; FILE may hold the text',
    cancelAfter: [
      '',
      'A cancellation says: this message was a mistake. When the danger is over, send an all-clear:',
      '  tocsin update ID deploy/examples/nice-all-clear.json',
    ].join('\n'),
    status: 'shows how far alert ID is',
    follow: 'follows the sending to its end',
    ingest: 'ingest to try first',
    yes: 'does not wait for a confirmation',
    reason: 'reason, kept with the cancellation',
    keys: 'makes and shows keys',
    newApi: 'makes an API key for a prefecture or a commune',
    newSigning: 'makes a signing key (Ed25519)',
    listKeys: 'shows the known keys, never their secret part',
    vapid: 'makes a VAPID key pair for Web Push',
    keyId: 'name of the key, such as pref06',
    sender: 'CAP sender that it speaks for',
    territory: 'departments and communes (INSEE codes), separated by commas',
    statuses: 'statuses it may send, separated by commas',
    maxSeverity: 'highest severity it may send',
    expiresAt: 'end of validity (2027-01-01T00:00:00Z)',
    append: 'key file to add it to',
    audience: 'public or canary',
    kid: 'name of the key, such as a-public-2',
    out: 'file of the private part',
    subject: 'contact of the owner (mailto: or https:)',
    apiKeysFile: 'file of API keys',
    devices: 'registered devices',
    importDevices: 'registers the devices in FILE (a Subscription as JSON on each line)',
    fromLine: 'first line to read, to resume',
    quarantine: 'devices that providers called gone in too great a number',
    listQuarantine: 'shows how many each dispatcher holds',
    quarantineDevices: 'shows the last hundred of them too',
    releaseQuarantine: 'the provider was wrong: they stay subscribed',
    dropQuarantine: 'the provider was right: removes them everywhere',
    transport: 'fcm or web-push only',
    olderThan: 'only those from longer ago (30m, 2h, 7d)',
    routes: 'age of the last proof of each path',
    plan: 'when how many devices would have been handed over, under the providers’ quotas',
    planAudience: 'devices in the area',
    planFcmShare: 'part of them that FCM reaches, 0 to 1 (0.8)',
    planProjects: 'numbers of FCM projects to compare (1,2,4)',
    planQuota: 'messages a minute and project (600000)',
    planRamp: 'seconds to the full rate, as FCM_RAMP_SECONDS (10)',
    planNodes: 'dispatchers that are live (2)',
    planNodeRate: 'sends a second of one dispatcher, from make bench-alert (10000)',
    planReply: 'milliseconds until a provider answers (50)',
    planJson: 'as JSON',
    after: [
      '',
      'Examples:',
      '  tocsin routes                                         before sending: are the paths proved?',
      '  tocsin send deploy/examples/nice-alert.json --follow',
      '  tocsin update ID deploy/examples/nice-update.json --follow',
      '  tocsin update ID deploy/examples/nice-all-clear.json  end of the alert: the danger is over',
      '  tocsin cancel ID --reason "sent by mistake"           cancellation: the alert was a mistake',
      '  tocsin keys new-api --id pref06 --sender pref06@alerte.example --territory 06 --statuses Actual,Exercise',
      '  tocsin devices import devices.jsonl',
      '  tocsin trace ID                                       what became of this alert, second by second?',
      '  tocsin drill correction                               does a correction arrive within 30 s?',
      '  tocsin plan --audience 5000000 --projects 1,2,4       how long would it take?',
      '',
      'In a file: "now" and "now+2h" (m, h, d) for sent, onset and expires; "auto" for identifier and references.',
      '',
      'Exit codes: 0 done; 1 refused; 2 wrong command or file; 3 nobody answers.',
    ].join('\n'),
  },
};
