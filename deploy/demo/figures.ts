import type { CrowdCounts, CrowdReport } from './crowd.ts';
import { ALERT_AREA } from './crowd.ts';

/** What the demonstration found out; written to reports/demo.json. Times are milliseconds from the call of `tocsin send`. */
export interface DemoFigures {
  readonly alertId: string;
  readonly devicesInArea: number;
  /** Devices whose provider accepted the alert at least once. */
  readonly accepted: number;
  /** Devices that received, decrypted and verified it. */
  readonly received: number;
  readonly shownTwice: number;
  readonly outsideArea: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
  readonly killedNode: string;
  /** Share of the devices that had it when the node was killed, in per cent. */
  readonly killedAtPercent: number;
  /** Copies beyond the first on the wire: what was in flight when the node died, and where the nodes met. */
  readonly repeatsOnTheWire: number;
  readonly perTransport: Readonly<Record<'fcm' | 'web-push', TransportFigures>>;
  /** Devices by the node whose copy came first. */
  readonly perNode: Readonly<Record<string, number>>;
  readonly probes: { readonly received: number; readonly total: number };
  readonly cancelledOnDevices: number;
}

export interface TransportFigures {
  readonly devices: number;
  readonly accepted: number;
  readonly received: number;
  readonly firstMs: number | null;
  readonly lastMs: number | null;
}

interface Facts {
  readonly alertId: string;
  readonly sentAtMs: number;
  /** Before the alert, after the last device, after the cancel. */
  readonly before: CrowdReport;
  readonly after: CrowdReport;
  readonly cancelled: CrowdReport;
  readonly killedNode: string;
  readonly receivedAtKill: number;
  readonly probes: { readonly received: number; readonly total: number };
}

/** Pure: reports of the devices → figures. */
export function demoFigures(facts: Facts): DemoFigures {
  const { before, after, sentAtMs } = facts;
  const { inside, outside } = after;
  const since = (ms: number | null) => (ms === null ? null : ms - sentAtMs);
  const perTransport = (kind: 'fcm' | 'web-push'): TransportFigures => {
    const counts = inArea(after, kind);
    return {
      devices: counts.devices,
      accepted: acceptedDevices(inArea(before, kind), counts),
      received: counts.received,
      firstMs: since(counts.firstMs),
      lastMs: since(counts.lastMs),
    };
  };
  return {
    alertId: facts.alertId,
    devicesInArea: inside.devices,
    accepted: acceptedDevices(before.inside, inside),
    received: inside.received,
    shownTwice: inside.shownTwice + outside.shownTwice,
    outsideArea: outside.received,
    firstMs: since(inside.firstMs),
    lastMs: since(inside.lastMs),
    killedNode: facts.killedNode,
    killedAtPercent: Math.round((100 * facts.receivedAtKill) / inside.devices),
    repeatsOnTheWire: inside.repeats,
    perTransport: { fcm: perTransport('fcm'), 'web-push': perTransport('web-push') },
    perNode: inside.byNode,
    probes: facts.probes,
    cancelledOnDevices: facts.cancelled.inside.takenDown,
  };
}

function inArea(report: CrowdReport, kind: 'fcm' | 'web-push'): CrowdCounts {
  const area = report.areas.find(({ code }) => code === ALERT_AREA);
  if (!area) throw new Error(`the crowd has nobody in ${ALERT_AREA}`);
  return area.perTransport[kind];
}

/** The providers' acceptances since the alert was sent, each device counted once. */
function acceptedDevices(before: CrowdCounts, after: CrowdCounts): number {
  // A repeat that was accepted and not yet read is not among the repeats: no more devices than there are.
  const accepted = after.acceptedMessages - before.acceptedMessages - after.repeats;
  return Math.min(accepted, after.devices);
}

/** What was done to the node, in words. */
interface FaultWords {
  readonly site?: string;
  readonly done?: string;
  readonly ended?: string;
}

/** The figures as a table for people. */
export function table(figures: DemoFigures, fault: FaultWords = {}): string {
  const ms = (value: number | null) => (value === null ? '–' : `${(value / 1000).toFixed(2)} s`);
  const transport = (kind: 'fcm' | 'web-push') => {
    const { devices, accepted, received, lastMs } = figures.perTransport[kind];
    return `${accepted} accepted, ${received} received of ${devices}, last after ${ms(lastMs)}`;
  };
  const nodes = Object.entries(figures.perNode).sort(([a], [b]) => (a < b ? -1 : 1));
  const {
    site = `dispatcher ${figures.killedNode}`,
    done = 'killed with -9',
    ended = 'killed',
  } = fault;
  const rows: [string, string][] = [
    ['devices in the area', String(figures.devicesInArea)],
    ['accepted by providers', String(figures.accepted)],
    ['received and verified on devices', String(figures.received)],
    ['  FCM', transport('fcm')],
    ['  Web Push', transport('web-push')],
    ['shown twice (must be 0)', String(figures.shownTwice)],
    ['devices outside that got it (must be 0)', String(figures.outsideArea)],
    ['first device after', ms(figures.firstMs)],
    ['last device after', ms(figures.lastMs)],
    ['probes that received it', `${figures.probes.received} of ${figures.probes.total}`],
    [`${site} ${done} at`, `${figures.killedAtPercent} % of the devices`],
    ...nodes.map(([node, count]): [string, string] => [
      `  first reached by dispatcher ${node}`,
      `${count} devices${node === figures.killedNode ? ` (before it was ${ended})` : ''}`,
    ]),
    ['copies repeated on the wire', String(figures.repeatsOnTheWire)],
    ['took it down after the cancel', `${figures.cancelledOnDevices} of ${figures.received}`],
  ];
  return lines(rows);
}

/** Rows as text, their second column aligned. */
export function lines(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n');
}

/** What is wrong with the figures; empty when the promises were kept. */
export function broken(figures: DemoFigures): string[] {
  const { devicesInArea: devices } = figures;
  const checks: [boolean, string][] = [
    [
      figures.received === devices,
      `P2: ${devices - figures.received} devices did not receive the alert`,
    ],
    [figures.shownTwice === 0, `P4: ${figures.shownTwice} devices showed it twice`],
    [figures.outsideArea === 0, `P7: ${figures.outsideArea} devices outside the area got it`],
    [figures.cancelledOnDevices === figures.received, 'P3: not every device took the alert down'],
  ];
  return checks.flatMap(([kept, message]) => (kept ? [] : [message]));
}
