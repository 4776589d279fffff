import type { DrillKind, DrillRecord } from '../../../shared/receipt/drill.ts';
import type { DrillTexts } from './texts-fr.ts';

const seconds = (s: number) => `${s.toLocaleString('en-GB', { maximumFractionDigits: 1 })} s`;

const KINDS: Readonly<Record<DrillKind, string>> = {
  'dead-receiver': 'dead receiver',
  restart: 'restart',
  restore: 'restore',
  correction: 'correction',
};

function measureLines({ measures }: DrillRecord): string[] {
  const { toPageSeconds, toRecoverySeconds, toCorrectionSeconds } = measures;
  return [
    ...(toPageSeconds === undefined ? [] : [`  until the page        ${seconds(toPageSeconds)}`]),
    ...(toRecoverySeconds === undefined
      ? []
      : [`  until well again      ${seconds(toRecoverySeconds)}`]),
    ...(toCorrectionSeconds === undefined
      ? []
      : [`  until corrected       ${seconds(toCorrectionSeconds)}`]),
  ];
}

/** What drills say, in English. */
export const DRILL_ENGLISH: DrillTexts = {
  checking: 'Is every path proved, and no alert under way?',
  noCanaries: 'The configuration names no canary (canaries): nothing could be measured.',
  noEdge:
    'No edge answers (or the configuration names none): nobody can say whether an alert is under way. No drill.',
  liveAlert: (ids) => `An alert is under way (${ids.join(', ')}): no drill now.`,
  silent: (names) =>
    `Canaries that do not answer: ${names.join(', ')}. No drill on a system that is not all proved.`,
  notProved: (bad, total) =>
    total === 0
      ? 'No path is watched: no drill.'
      : `${bad.length} of ${total} paths are not proved: no drill on a system that is not well. ${bad.slice(0, 8).join(', ')}${bad.length > 8 ? '…' : ''}`,
  otherDrill: (probes) => `Another drill is under way: ${probes.join(', ')} hears nothing.`,
  what: {
    deadReceiver: (transport) =>
      `Drill: all ${transport} probes hear nothing any more, until that is seen (four minutes at most). Whoever is on call will be called. Real alerts go out all the same.`,
    restart: (service, node) =>
      `Drill: ${service} of node ${node} is restarted. The others do its work meanwhile.`,
    restore: (node) =>
      `Drill: a copy of the registry of dispatcher ${node} is restored on the side, checked, and deleted. It holds people’s push addresses.`,
    correction: (ingest) =>
      `Drill: a technical test goes to the probes alone through ingest ${ingest}, is updated, then cancelled.`,
  },
  confirmWord: 'DRILL',
  confirm: (word) => `Type ${word} to begin: `,
  notConfirmed: 'Nothing was done (--yes to be asked nothing).',
  noProbe: (transport, canaries) => `There is no ${transport} probe at: ${canaries.join(', ')}.`,
  noAlertmanager: (url) => `Alertmanager does not answer at ${url}.`,
  openPage: (names) =>
    `Somebody is being called already (${names.join(', ')}): no drill on top of it.`,
  deaf: (probes) => `Deaf: ${probes.join(', ')}`,
  unproved: (transport, s) =>
    `No path by ${transport} is called proved any more, after ${seconds(s)}`,
  paged: (alert, s) => `Whoever is on call is called (${alert}), after ${seconds(s)}`,
  withoutAlertmanager:
    'Without --alertmanager, “until the page” is when the canaries see it: the call itself is not measured.',
  stillDeaf: (probe, s) =>
    `Probe ${probe} could not be told: it hears again by itself, ${s} s after the beginning at most.`,
  hearing: 'The probes hear again; waiting for proofs…',
  recovered: (s) => `Every path is proved again, after ${seconds(s)}`,
  notRecovered: 'Not every path was proved in time.',
  restarting: (service, node) => `Restarting ${service} ${node}…`,
  noRestart:
    'The configuration does not say how to restart a service: it needs control (make run) or restartCommand, such as ["ssh", "{node}", "sudo", "systemctl", "restart", "tocsin-{service}"].',
  answers: (s) => `The new process answers, after ${seconds(s)}`,
  ready: (s) => `It is ready, after ${seconds(s)}`,
  copying: (node) => `Copying the registry from dispatcher ${node}…`,
  copied: (kilobytes, s) =>
    `Copy received: ${kilobytes.toLocaleString('en-GB')} kB, after ${seconds(s)}; checking every row…`,
  checked: (devices, sample, s) =>
    `The copy is whole: ${devices.toLocaleString('en-GB')} devices, ${sample.toLocaleString('en-GB')} read one by one, after ${seconds(s)}; comparing by department…`,
  deleted: 'Copy deleted.',
  noCounts: 'No dispatcher says how many devices it knows.',
  raising: (paths, probes, ingest) =>
    `Test, update and cancel through ingest ${ingest}, on ${paths} paths, for ${probes} probes…`,
  corrected: (s) => `Every probe heard the cancel, ${seconds(s)} after its acceptance at most`,
  summary: (record) => [
    `Drill “${KINDS[record.kind]}”: ${record.ok ? 'passed' : 'FAILED'}`,
    ...measureLines(record),
    ...(record.note === undefined ? [] : [`  ${record.note}`]),
  ],
  kept: (kept, total) => `Kept by ${kept} of ${total} canaries.`,
  notKept: 'No canary has kept this drill: it counts as if it had not taken place.',
  failed: (kind) => `The drill “${KINDS[kind]}” failed: see docs/drills.md, “Reading the result”.`,
  help: {
    drill: 'drills on a living system: break on purpose, measure, record (docs/drills.md)',
    deadReceiver: 'makes the probes deaf: how long until somebody is called?',
    restart: 'restarts a service: how long until it is proved again?',
    restore: 'restores a copy of the registry on the side: is it whole?',
    correction: 'test, update and cancel to the probes alone: how long does it take?',
    transport: 'fcm or web-push',
    alertmanager: 'address of Alertmanager, to measure the call itself',
    service: 'dispatcher, ingest, edge or canary',
    node: 'name of the node (the first of the configuration)',
    ingest: 'ingest to go through (the first)',
    by: 'who runs the drill (the user)',
    json: 'the result as JSON; progress goes to standard error',
    after: [
      '',
      'Refused while an alert is under way or not everything is proved. Each drill, also one that failed, is kept by all canaries.',
      'Exit codes: 0 passed; 1 failed or refused; 2 wrong command or not confirmed; 3 nobody answers.',
    ].join('\n'),
  },
};
